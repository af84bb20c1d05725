/// Reads JSON text (RFC 8259) token by token, with blanks between tokens skipped. Strict; UTF-8 is not checked.
package struct JSONScanner {
    package var cursor: UnsafePointer<UInt8>
    package let end: UnsafePointer<UInt8>
    /// Half of a surrogate pair, which stands for no character, is read as U+FFFD instead of being refused.
    package var repairsSurrogates = false
    /// Values that are stepped over may be nested so deeply.
    private static let depthLimit = 64

    package init(_ start: UnsafePointer<UInt8>, count: Int) {
        cursor = start
        end = start + count
    }

    /// The next byte that is not blank; 0 at the end.
    @inline(__always)
    package mutating func peek() -> UInt8 {
        while cursor < end {
            let byte = cursor[0]
            guard byte <= 0x20 else { return byte }
            // A control character is no blank: it stays and is refused by whoever reads the token.
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            cursor += 1
        }
        return 0
    }

    @inline(__always)
    package mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte, cursor < end else { return false }
        cursor += 1
        return true
    }

    /// After a value in an array or object: true at `closing`, false after a comma, nil at anything else.
    @inline(__always)
    package mutating func ends(with closing: UInt8) -> Bool? {
        let byte = peek()
        guard cursor < end, byte == UInt8(ascii: ",") || byte == closing else { return nil }
        cursor += 1
        return byte == closing
    }

    package mutating func take(word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard end - cursor >= count else { return false }
        for index in 0..<count where cursor[index] != word.utf8Start[index] { return false }
        cursor += count
        return true
    }

    /// The text of a number.
    package mutating func number() -> UnsafeRawBufferPointer? {
        _ = peek()
        let start = cursor
        if cursor < end, cursor[0] == UInt8(ascii: "-") { cursor += 1 }
        guard cursor < end else { return nil }
        if cursor[0] == UInt8(ascii: "0") {
            cursor += 1
        } else {
            guard digits() else { return nil }
        }
        if cursor < end, cursor[0] == UInt8(ascii: ".") {
            cursor += 1
            guard digits() else { return nil }
        }
        if cursor < end, cursor[0] | 0x20 == UInt8(ascii: "e") {
            cursor += 1
            if cursor < end, cursor[0] == UInt8(ascii: "+") || cursor[0] == UInt8(ascii: "-") { cursor += 1 }
            guard digits() else { return nil }
        }
        return UnsafeRawBufferPointer(start: start, count: cursor - start)
    }

    @inline(__always)
    private mutating func digits() -> Bool {
        let start = cursor
        while cursor < end, cursor[0] &- UInt8(ascii: "0") < 10 { cursor += 1 }
        return cursor > start
    }

    /// The bytes that a string stands for: in the text itself, or in `scratch` when it has escapes.
    package mutating func string(_ scratch: OutputBuffer) -> UnsafeRawBufferPointer? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        let start = cursor
        while cursor < end {
            let byte = cursor[0]
            if byte == UInt8(ascii: "\"") {
                cursor += 1
                return UnsafeRawBufferPointer(start: start, count: cursor - 1 - start)
            }
            if byte < 0x20 { return nil }
            if byte == UInt8(ascii: "\\") {
                scratch.removeAll()
                scratch.put(UnsafeRawBufferPointer(start: start, count: cursor - start))
                return escapedRest(scratch) ? scratch.bytes : nil
            }
            cursor += 1
        }
        return nil
    }

    private mutating func escapedRest(_ scratch: OutputBuffer) -> Bool {
        while cursor < end {
            let byte = cursor[0]
            cursor += 1
            if byte == UInt8(ascii: "\"") { return true }
            if byte < 0x20 { return false }
            guard byte == UInt8(ascii: "\\") else {
                scratch.put(byte)
                continue
            }
            guard cursor < end else { return false }
            let escape = cursor[0]
            cursor += 1
            switch escape {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scratch.put(escape)
            case UInt8(ascii: "b"): scratch.put(0x08)
            case UInt8(ascii: "f"): scratch.put(0x0C)
            case UInt8(ascii: "n"): scratch.put(0x0A)
            case UInt8(ascii: "r"): scratch.put(0x0D)
            case UInt8(ascii: "t"): scratch.put(0x09)
            case UInt8(ascii: "u"): guard codePoint(scratch) else { return false }
            default: return false
            }
        }
        return false
    }

    /// What follows `\u`, with the second half of a surrogate pair.
    private mutating func codePoint(_ scratch: OutputBuffer) -> Bool {
        guard var code = hexadecimal() else { return false }
        if code & 0xFC00 == 0xD800 {
            let afterFirst = cursor
            if take(word: "\\u"), let low = hexadecimal(), low & 0xFC00 == 0xDC00 {
                code = 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF
            } else {
                cursor = afterFirst
            }
        }
        guard let scalar = Unicode.Scalar(code) ?? (repairsSurrogates ? "\u{FFFD}" : nil) else { return false }
        for byte in UTF8.encode(scalar).map(Array.init) ?? [] { scratch.put(byte) }
        return true
    }

    private mutating func hexadecimal() -> UInt32? {
        guard end - cursor >= 4 else { return nil }
        var code: UInt32 = 0
        for _ in 0..<4 {
            let digit = cursor[0] &- UInt8(ascii: "0")
            let letter = (cursor[0] | 0x20) &- UInt8(ascii: "a")
            guard digit < 10 || letter < 6 else { return nil }
            code = code << 4 | UInt32(digit < 10 ? digit : letter + 10)
            cursor += 1
        }
        return code
    }

    /// Steps over any value, checking its form. No recursion: the open brackets are bits of one word.
    package mutating func skipValue(_ scratch: OutputBuffer) -> Bool {
        var depth = 0
        var objects: UInt64 = 0
        while true {
            switch peek() {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                let isObject = cursor[0] == UInt8(ascii: "{")
                cursor += 1
                guard depth < Self.depthLimit else { return false }
                depth += 1
                objects = objects << 1 | (isObject ? 1 : 0)
                if take(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    depth -= 1
                    objects >>= 1
                    break
                }
                if isObject, !skipKey(scratch) { return false }
                continue
            case UInt8(ascii: "\""): guard string(scratch) != nil else { return false }
            case UInt8(ascii: "n"): guard take(word: "null") else { return false }
            case UInt8(ascii: "t"): guard take(word: "true") else { return false }
            case UInt8(ascii: "f"): guard take(word: "false") else { return false }
            default: guard number() != nil else { return false }
            }
            // Close what ends here, up to the next value.
            while true {
                if depth == 0 { return true }
                let isObject = objects & 1 == 1
                guard let isClosed = ends(with: isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else { return false }
                if !isClosed {
                    if isObject, !skipKey(scratch) { return false }
                    break
                }
                depth -= 1
                objects >>= 1
            }
        }
    }

    private mutating func skipKey(_ scratch: OutputBuffer) -> Bool {
        string(scratch) != nil && take(UInt8(ascii: ":"))
    }
}
