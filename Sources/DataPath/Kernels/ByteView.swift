import Glibc

/// A run of bytes that lives elsewhere: in a column, a dictionary or a register's arena.
struct ByteView: BitwiseCopyable {
    var start: UnsafePointer<UInt8>
    var count: Int

    /// The order of unsigned bytes, a prefix first: negative, zero or positive.
    @inline(__always)
    func compare(_ other: ByteView) -> Int {
        let order = Int(memcmp(start, other.start, min(count, other.count)))
        return order != 0 ? order : count &- other.count
    }

    @inline(__always)
    func equals(_ other: ByteView) -> Bool {
        count == other.count && (count == 0 || equalBytes(start, other.start, count))
    }

    /// The position after the UTF-8 character that begins at `position`.
    @inline(__always)
    func indexAfterCharacter(at position: Int) -> Int {
        var next = position + 1
        while next < count, start[next] & 0xC0 == 0x80 { next += 1 }
        return next
    }

    /// Unicode scalars in UTF-8 text.
    var characterCount: Int64 {
        var result: Int64 = 0
        for index in 0..<count where start[index] & 0xC0 != 0x80 { result &+= 1 }
        return result
    }

    var isASCII: Bool {
        var all: UInt8 = 0
        for index in 0..<count { all |= start[index] }
        return all < 0x80
    }
}

/// Changing the case of UTF-8 text, scalar by scalar. A scalar whose counterpart is several scalars stays as it is.
enum CaseMapping {
    case lower, upper

    func map(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        if scalar.isASCII {
            return Unicode.Scalar(map(UInt8(truncatingIfNeeded: scalar.value)))
        }
        let mapped = (self == .lower ? scalar.properties.lowercaseMapping : scalar.properties.uppercaseMapping)
            .unicodeScalars
        return mapped.count == 1 ? mapped.first ?? scalar : scalar
    }

    @inline(__always)
    func map(_ byte: UInt8) -> UInt8 {
        switch self {
        case .lower: byte &- 65 < 26 ? byte | 0x20 : byte
        case .upper: byte &- 97 < 26 ? byte & 0xDF : byte
        }
    }
}
