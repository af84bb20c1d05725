internal import DataPath
internal import Glibc

/// What PostgreSQL's `text` and `jsonb` cannot hold: U+0000 and malformed UTF-8.
enum StorableText {
    /// Whether the bytes are UTF-8 without U+0000.
    static func isStorable(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let base = text.baseAddress else { return true }
        var highBits: UInt64 = 0
        var index = 0
        while index + 8 <= text.count {
            let word = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            // Bit 7 of each byte that is zero; a byte above one that is zero may be marked wrongly, never the reverse.
            if (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0 { return false }
            highBits |= word
            index += 8
        }
        while index < text.count {
            if text[index] == 0 { return false }
            highBits |= UInt64(text[index])
            index += 1
        }
        return highBits & 0x8080_8080_8080_8080 == 0 || TextFormat.isValidUTF8(text)
    }

    /// Whether JSON text is storable and has no escaped U+0000.
    static func isStorableJSON(_ text: UnsafeRawBufferPointer) -> Bool {
        isStorable(text) && escapedNull(text, from: 0) == nil
    }

    /// The text with U+FFFD in the place of everything that cannot be stored.
    static func repaired(_ text: UnsafeRawBufferPointer) -> [UInt8] {
        var scalars = String.UnicodeScalarView()
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            scalars.append(scalar.value == 0 ? "\u{FFFD}" : scalar)
        }
        return Array(String(scalars).utf8)
    }

    /// JSON text with U+FFFD in the place of everything that cannot be stored.
    static func repairedJSON(_ text: UnsafeRawBufferPointer) -> [UInt8] {
        var bytes = repaired(text)
        var from = 0
        while let place = bytes.withUnsafeBytes({ escapedNull($0, from: from) }) {
            bytes.replaceSubrange(place..<place + 6, with: "\\ufffd".utf8)
            from = place + 6
        }
        return bytes
    }

    /// Where `\u0000` stands, whose backslash is not itself escaped.
    private static func escapedNull(_ text: UnsafeRawBufferPointer, from: Int) -> Int? {
        guard let base = text.baseAddress else { return nil }
        var index = from
        while index + 6 <= text.count {
            guard let found = memchr(base + index, 0x5C, text.count - index) else { return nil }
            index = UnsafeRawPointer(found) - base
            if index + 6 <= text.count, memcmp(base + index, "\\u0000", 6) == 0 { return index }
            // The backslash and what it escapes.
            index += 2
        }
        return nil
    }
}
