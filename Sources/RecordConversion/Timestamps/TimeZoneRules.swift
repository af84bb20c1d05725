internal import DataPath
internal import Diagnostics
internal import Glibc

/// A time zone: from local time to UTC.
///
/// A local time that occurs twice (clocks go back) is the first of the two; one that does not occur (clocks go forward) is
/// taken with the offset before the change, as Python's zoneinfo does with `fold=0`. Source: RFC 8536 (TZif).
struct TimeZoneRules {
    /// Ascending UTC seconds at which an offset begins.
    private var starts: [Int64] = []
    private var offsets: [Int] = []
    /// Before the first start.
    private var initialOffset = 0
    /// What holds after the last start.
    private var footer: DaylightRule?

    static let utc = TimeZoneRules(fixedSeconds: 0)

    init(fixedSeconds: Int) { initialOffset = fixedSeconds }

    /// `UTC`, `Z`, `+hh:mm`, or an IANA name of the system's database. Throws `SP3211`.
    init(name: String) throws(DiagnosticsError) {
        if ["UTC", "utc", "Z", "GMT"].contains(name) {
            self = .utc
            return
        }
        var copy = name
        let fixed: Int? = copy.withUTF8 { text in
            guard let read = TextFormat.zoneOffset(UnsafeRawBufferPointer(text), at: 0), read.end == text.count else {
                return nil
            }
            return read.seconds
        }
        if let fixed {
            initialOffset = fixed
            return
        }
        let isPlain = !name.isEmpty && !name.hasPrefix("/") && !name.contains("..")
        guard isPlain, let bytes = Self.contents("/usr/share/zoneinfo/\(name)"), let rules = Self(tzif: bytes) else {
            throw DiagnosticsError(
                Diagnostic(
                    .unknownTimezone, "unknown time zone '\(name)'",
                    hint: "use UTC, an offset such as +02:00, or an IANA name such as Europe/Berlin"))
        }
        self = rules
    }

    /// Reads a TZif file, version 2 or later.
    init?(tzif bytes: [UInt8]) {
        func number(_ at: Int, _ size: Int) -> Int64? {
            guard at >= 0, at + size <= bytes.count else { return nil }
            var value: UInt64 = bytes[at] >= 0x80 ? .max : 0
            for index in at..<at + size { value = value << 8 | UInt64(bytes[index]) }
            return Int64(bitPattern: value)
        }
        func counts(_ at: Int) -> [Int]? {
            guard at + 44 <= bytes.count, bytes[at..<at + 4].elementsEqual("TZif".utf8) else { return nil }
            let read = (0..<6).compactMap { number(at + 20 + $0 * 4, 4).map(Int.init) }
            return read.count == 6 && read.allSatisfy { (0...1_000_000).contains($0) } ? read : nil
        }
        guard bytes.count > 44, bytes[4] >= UInt8(ascii: "2"), let first = counts(0) else { return nil }
        // isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt
        let second = 44 + first[3] * 5 + first[4] * 6 + first[5] + first[2] * 8 + first[1] + first[0]
        guard let c = counts(second), c[4] > 0 else { return nil }
        let times = second + 44
        let indexes = times + c[3] * 8
        let types = indexes + c[3]
        let end = types + c[4] * 6 + c[5] + c[2] * 12 + c[1] + c[0]
        guard end < bytes.count, let firstOffset = number(types, 4) else { return nil }
        initialOffset = Int(firstOffset)
        for index in 0..<c[3] {
            guard let start = number(times + index * 8, 8),
                let offset = number(types + Int(bytes[indexes + index]) * 6, 4)
            else { return nil }
            starts.append(start)
            offsets.append(Int(offset))
        }
        let text = bytes[(end + 1)...].prefix { $0 != UInt8(ascii: "\n") }
        footer = DaylightRule(String(decoding: text, as: UTF8.self))
    }

    /// Seconds east of UTC at an instant.
    func offset(at utcSeconds: Int64) -> Int {
        guard let last = starts.last else { return footer?.offset(at: utcSeconds) ?? initialOffset }
        if utcSeconds >= last { return footer?.offset(at: utcSeconds) ?? offsets[offsets.count - 1] }
        var (low, high) = (0, starts.count)
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= utcSeconds { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? initialOffset : offsets[low - 1]
    }

    /// The instant of a local time; both in milliseconds.
    func utcMilliseconds(local: Int64) -> Int64 {
        if starts.isEmpty, footer == nil { return local - Int64(initialOffset) * 1000 }
        let seconds = TextFormat.floorDivide(local, by: 1000)
        // A zone changes at most once within two days, so these are the offsets on both sides of a change.
        let before = offset(at: seconds - 86_400)
        let after = offset(at: seconds + 86_400)
        if before == after || offset(at: seconds - Int64(before)) == before { return local - Int64(before) * 1000 }
        if offset(at: seconds - Int64(after)) == after { return local - Int64(after) * 1000 }
        return local - Int64(before) * 1000
    }

    private static func contents(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = read(file, &chunk, chunk.count)
            if count < 0 { return nil }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            // No zone file comes near this.
            if bytes.count > 1 << 20 { return nil }
        }
    }
}
