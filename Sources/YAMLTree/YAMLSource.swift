import Diagnostics

/// The bytes of a YAML text, checked to be UTF-8 without characters that YAML forbids, and its lines.
struct YAMLSource {
    /// Without a byte order mark.
    let bytes: [UInt8]
    let file: String
    /// The byte offset at which each line begins.
    private let lineStarts: [Int]

    /// Nil after reporting why the text cannot be read.
    init?(bytes: [UInt8], file: String, into diagnostics: inout Diagnostics) {
        self.file = file
        guard bytes.count <= YAMLTree.byteLimit else {
            diagnostics.error(
                .fileTooLarge, "'\(file)' has \(bytes.count) bytes; at most \(YAMLTree.byteLimit) are accepted",
                at: SourceLocation(file: file, line: 1, column: 1),
                hint: "keep data in files of its own and name them in the configuration")
            return nil
        }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            diagnostics.error(
                .notUTF8, "'\(file)' is UTF-16, not UTF-8", at: SourceLocation(file: file, line: 1, column: 1),
                hint: "save it as UTF-8: iconv -f UTF-16 -t UTF-8")
            return nil
        }
        self.bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
        var starts = [0]
        var line = 1
        var column = 1
        var offset = 0
        var decoder = UTF8.ForwardParser()
        var iterator = self.bytes.makeIterator()
        var previous: UInt32 = 0
        scan: while true {
            let place = SourceLocation(file: file, line: line, column: column)
            switch decoder.parseScalar(from: &iterator) {
            case .emptyInput: break scan
            case .error:
                diagnostics.error(
                    .notUTF8, "'\(file)' is not UTF-8 text: the byte at offset \(offset) fits no character", at: place,
                    hint: "save it as UTF-8, for instance: iconv -f ISO-8859-1 -t UTF-8")
                return nil
            case .valid(let encoded):
                let scalar = UTF8.decode(encoded)
                offset += encoded.count
                guard Self.isAllowed(scalar.value) else {
                    let code = "U+" + String(scalar.value, radix: 16, uppercase: true)
                    diagnostics.error(
                        .forbiddenCharacter, "the character \(code) is not allowed in YAML", at: place,
                        hint: "write it as an escape in a double-quoted string: \"\\u…\"")
                    return nil
                }
                if scalar == "\n" || scalar == "\r" {
                    if scalar == "\n", previous == 0x0D {
                        starts[starts.count - 1] = offset
                    } else {
                        line += 1
                        starts.append(offset)
                    }
                    column = 1
                } else {
                    column += 1
                }
                previous = scalar.value
            }
        }
        lineStarts = starts
    }

    /// YAML 1.2.2, section 5.1, without U+0085, U+2028 and U+2029: those are line breaks to libyaml, which follows YAML
    /// 1.1, and none in 1.2, so that places would not be what an editor shows.
    private static func isAllowed(_ value: UInt32) -> Bool {
        switch value {
        case 0x09, 0x0A, 0x0D, 0x20...0x7E: true
        case 0x2028, 0x2029, 0xFEFF: false
        case 0xA0...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }

    /// The bytes of a 1-based line, with its break; empty beyond the end.
    func lineBytes(_ number: Int) -> ArraySlice<UInt8> {
        guard lineStarts.indices.contains(number - 1) else { return [] }
        let end = number < lineStarts.count ? lineStarts[number] : bytes.count
        return bytes[lineStarts[number - 1]..<end]
    }

    /// The scalars of a 1-based line, without its break.
    func line(_ number: Int) -> [Unicode.Scalar] {
        var scalars = Array(String(decoding: lineBytes(number), as: UTF8.self).unicodeScalars)
        while scalars.last == "\n" || scalars.last == "\r" { scalars.removeLast() }
        return scalars
    }

    var lineCount: Int { lineStarts.count }

    /// The place of the first tab in a line's indentation.
    func tabInIndentation(line number: Int) -> SourceLocation? {
        for (index, scalar) in line(number).enumerated() {
            if scalar == "\t" { return SourceLocation(file: file, line: number, column: index + 1) }
            if scalar != " " { return nil }
        }
        return nil
    }

    /// Where a node's content begins when an anchor or a tag may stand before it.
    func skipProperties(line: Int, column: Int) -> (line: Int, column: Int) {
        var number = line
        var index = column - 1
        while number <= lineCount {
            let scalars = self.line(number)
            while index < scalars.count {
                switch scalars[index] {
                case " ", "\t": index += 1
                case "#": index = scalars.count
                case "&", "!":
                    while index < scalars.count, !isPropertyEnd(scalars[index]) { index += 1 }
                default: return (number, index + 1)
                }
            }
            number += 1
            index = 0
        }
        return (line, column)
    }

    private func isPropertyEnd(_ scalar: Unicode.Scalar) -> Bool {
        [" ", "\t", ",", "[", "]", "{", "}"].contains(scalar)
    }
}
