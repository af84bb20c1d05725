extension TextFormat {
    /// Appends a JSON string with its quotes. The bytes are UTF-8; a malformed sequence becomes U+FFFD, so that the
    /// result is always valid JSON.
    public static func writeJSONString(_ text: UnsafeRawBufferPointer, to out: ByteBuffer) {
        // Every byte becomes at most six.
        out.reserve(text.count &* 6 &+ 2)
        var end = out.end
        end[0] = UInt8(ascii: "\"")
        end += 1
        var sawHighBit: UInt8 = 0
        var next = 0
        if let base = text.baseAddress {
            // Eight bytes at a time, as long as they can be copied.
            while next &+ 8 <= text.count {
                let word = base.loadUnaligned(fromByteOffset: next, as: UInt64.self)
                guard isPlain(word) else { break }
                UnsafeMutableRawPointer(end).storeBytes(of: word, as: UInt64.self)
                end += 8
                next &+= 8
            }
        }
        for index in next..<text.count {
            let byte = text[index]
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

    /// Whether none of eight bytes is above 127, a control character, a quote or a backslash.
    @inline(__always)
    private static func isPlain(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
        let backslashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
        // A byte below n borrows from its top bit; zero is below one.
        let found =
            (word &- ones &* 0x20) & ~word | (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes | word
        return found & tops == 0
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
