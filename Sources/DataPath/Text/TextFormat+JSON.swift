extension TextFormat {
    /// Appends a JSON string with its quotes. The bytes are UTF-8; a malformed sequence becomes U+FFFD, so that the
    /// result is always valid JSON.
    public static func writeJSONString(_ text: UnsafeRawBufferPointer, to out: ByteBuffer) {
        // Every byte becomes at most six.
        out.reserve(text.count &* 6 &+ 2)
        let start = out.end
        start[0] = UInt8(ascii: "\"")
        let plain = copyPlain(text, to: start + 1)
        guard plain == text.count else { return writeEscaped(text, plain: plain, to: out) }
        start[1 &+ plain] = UInt8(ascii: "\"")
        out.count &+= plain &+ 2
    }

    /// Goes on with a string of which the quote and the first `plain` bytes stand behind what `out` counts; it has the room.
    private static func writeEscaped(_ text: UnsafeRawBufferPointer, plain: Int, to out: ByteBuffer) {
        var end = out.end + (1 + plain)
        var sawHighBit: UInt8 = 0
        for byte in text[plain...] {
            sawHighBit |= byte
            if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                end[0] = byte
                end += 1
            } else {
                end = escape(byte, at: end)
            }
        }
        end[0] = UInt8(ascii: "\"")
        if sawHighBit >= 0x80, !isValidUTF8(text) {
            let repaired = String(decoding: text, as: UTF8.self)
            var copy = repaired
            copy.withUTF8 { writeJSONString(UnsafeRawBufferPointer($0), to: out) }
            return
        }
        out.count = out.bytes.distance(to: end) + 1
    }

    /// Copies groups of bytes until one of them is no plain character (ASCII that stands for itself in a JSON string); returns
    /// how many bytes. The last group may hold bytes of the one before.
    @inline(__always)
    private static func copyPlain(_ text: UnsafeRawBufferPointer, to end: UnsafeMutablePointer<UInt8>) -> Int {
        guard let source = text.baseAddress else { return 0 }
        let (out, count) = (UnsafeMutableRawPointer(end), text.count)
        func copied<Group: FixedWidthInteger & BitwiseCopyable>(_ type: Group.Type, at index: Int) -> UInt64 {
            let group = source.loadUnaligned(fromByteOffset: index, as: type)
            out.storeBytes(of: group, toByteOffset: index, as: type)
            return UInt64(truncatingIfNeeded: group)
        }
        if count >= 8 {
            var index = 0
            while index &+ 8 <= count {
                if !isPlain(copied(UInt64.self, at: index)) { return index }
                index &+= 8
            }
            return index == count || isPlain(copied(UInt64.self, at: count &- 8)) ? count : index
        }
        if count >= 4 {
            return isPlain(copied(UInt32.self, at: 0) | copied(UInt32.self, at: count &- 4) << 32) ? count : 0
        }
        var index = 0
        // One byte, filled up with blanks, which are plain.
        while index < count, isPlain(copied(UInt8.self, at: index) | 0x2020_2020_2020_2000) { index &+= 1 }
        return index
    }

    /// Whether eight bytes are ASCII characters that stand for themselves in a JSON string.
    @inline(__always)
    private static func isPlain(_ word: UInt64) -> Bool {
        let (ones, highs): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        let quotes = word ^ ones &* UInt64(UInt8(ascii: "\""))
        let backslashes = word ^ ones &* UInt64(UInt8(ascii: "\\"))
        // A byte of zero borrows from its high bit: below 0x20, a quote, a backslash. Bytes from 0x80 on have it.
        let special = (word &- ones &* 0x20) | (quotes &- ones) | (backslashes &- ones) | word
        return special & highs == 0
    }

    /// Whether the bytes are well-formed UTF-8.
    public static func isValidUTF8(_ text: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte < 0x80 {
                index += 1
                continue
            }
            var count = 0
            var lowest: UInt8 = 0x80
            var highest: UInt8 = 0xBF
            switch byte {
            case 0xC2...0xDF: count = 1
            case 0xE0: (count, lowest) = (2, 0xA0)
            case 0xED: (count, highest) = (2, 0x9F)
            case 0xE1...0xEF: count = 2
            case 0xF0: (count, lowest) = (3, 0x90)
            case 0xF4: (count, highest) = (3, 0x8F)
            case 0xF1...0xF3: count = 3
            default: return false
            }
            guard index + count < text.count else { return false }
            for offset in 1...count {
                let next = text[index + offset]
                if next < (offset == 1 ? lowest : 0x80) || next > (offset == 1 ? highest : 0xBF) { return false }
            }
            index += count + 1
        }
        return true
    }

    private static func escape(
        _ byte: UInt8, at end: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        end[0] = UInt8(ascii: "\\")
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): end[1] = byte
        case 0x08: end[1] = UInt8(ascii: "b")
        case 0x09: end[1] = UInt8(ascii: "t")
        case 0x0A: end[1] = UInt8(ascii: "n")
        case 0x0C: end[1] = UInt8(ascii: "f")
        case 0x0D: end[1] = UInt8(ascii: "r")
        default:
            end[1] = UInt8(ascii: "u")
            end[2] = UInt8(ascii: "0")
            end[3] = UInt8(ascii: "0")
            end[4] = hexDigit(byte >> 4)
            end[5] = hexDigit(byte & 15)
            return end + 6
        }
        return end + 2
    }

    /// The lower-case digit of a value below 16.
    @inlinable
    public static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ (value &- 10)
    }
}
