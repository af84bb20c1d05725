import DataPath
import PlatformModel

/// Arrays, maps and records within them, as JSON text of one line.
///
/// Shape: dates are days, timestamps milliseconds since the epoch, decimals and money exact numbers (money in minor units,
/// under its stored name). Slower than other providers (about 100 ns an element): such columns are few.
struct JSONText: ValueProvider {
    let type: FieldType
    /// Texts for string elements, from sample data.
    let words: [String]
    let salt: UInt64
    /// JSON literals to draw the innermost elements from; empty = they are made up by type.
    var samples: [Sample] = []
    var choice: AliasTable?

    struct Sample: Sendable {
        var literal: [UInt8]
    }

    /// `text` as a JSON literal of the type; nil when it is no value of it.
    static func literal(_ text: String, of type: FieldType, isQuoted: Bool) -> [UInt8]? {
        let fits =
            switch type {
            case .int: Int32(text) != nil
            case .long: Int64(text) != nil
            case .float, .double: Double(text)?.isFinite ?? false
            case .boolean: text == "true" || text == "false"
            case .decimal(_, let scale): SampleText.scaled(text, scale) != nil
            case .money(let scale): SampleText.scaled(text, scale) != nil
            case .uuid: SampleText.isUUID(text)
            case .enumeration(let symbols): symbols.contains(text)
            case .date: SampleText.days(text) != nil
            case .timestamp: SampleText.milliseconds(text) != nil
            case .string, .bytes, .record, .array, .map: true
            }
        guard fits else { return nil }
        var out: [UInt8] = []
        if case .money(let scale) = type, let units = SampleText.scaled(text, scale) {
            out += "\(units)".utf8
        } else if case .timestamp = type, Int64(text) != nil {
            out += text.utf8
        } else if isQuoted {
            quote(text, &out)
        } else {
            out += text.utf8
        }
        return out
    }

    func fill(_ rows: GeneratedRows, into column: ColumnVector) {
        let vector = column.text
        let seeds = rows.seeds(.event)
        var out: [UInt8] = []
        for row in 0..<rows.count {
            if rows.isNull(row) {
                vector.appendNull()
                continue
            }
            out.removeAll(keepingCapacity: true)
            var random = RandomStream(mix64(seeds[row] ^ salt))
            put(type, time: rows.times[row], &random, &out)
            out.withUnsafeBytes { vector.append($0) }
        }
    }

    private func put(_ type: FieldType, time: Int64, _ random: inout RandomStream, _ out: inout [UInt8]) {
        if let choice {
            switch type {
            case .array, .map, .record: break
            default:
                out += samples[choice.pick(random.next())].literal
                return
            }
        }
        switch type {
        case .string: Self.quote(words[random.below(words.count)], &out)
        case .bytes: Self.quote("b\(random.below(1_000_000))", &out)
        case .enumeration(let symbols): Self.quote(symbols.isEmpty ? "" : symbols[random.below(symbols.count)], &out)
        case .int, .long: out += "\(random.below(1000))".utf8
        case .money: out += "\(100 + random.below(20_000))".utf8
        case .float, .double: out += "\(Double(random.below(100_000)) / 100)".utf8
        case .boolean: out += (random.next() & 1 == 0 ? "true" : "false").utf8
        case .date: out += "\(time / 86_400_000 - Int64(random.below(30)))".utf8
        case .timestamp: out += "\(time - Int64(random.below(3_600_000)))".utf8
        case .uuid:
            let uuid = UUIDText(scope: .event, salt: 0)
            let text = String(unsafeUninitializedCapacity: 36) { buffer in
                guard let base = buffer.baseAddress else { return 0 }
                uuid.write(seed: random.next(), to: base)
                return 36
            }
            Self.quote(text, &out)
        case .decimal(let precision, let scale):
            let whole = precision - scale
            out += whole > 0 ? "\(random.below(whole > 3 ? 1000 : 9))".utf8 : "0".utf8
            if scale > 0 { out += ".\(random.below(10))".utf8 + [UInt8](repeating: 0x30, count: scale - 1) }
        case .array(let element):
            list(UInt8(ascii: "["), UInt8(ascii: "]"), 1 + random.below(3), &out) { _, out in
                put(element, time: time, &random, &out)
            }
        case .map(let element):
            list(UInt8(ascii: "{"), UInt8(ascii: "}"), 1 + random.below(3), &out) { index, out in
                Self.quote("key\(index + 1)", &out)
                out.append(UInt8(ascii: ":"))
                put(element, time: time, &random, &out)
            }
        case .record(let fields):
            list(UInt8(ascii: "{"), UInt8(ascii: "}"), fields.count, &out) { index, out in
                Self.quote(fields[index].storedName, &out)
                out.append(UInt8(ascii: ":"))
                put(fields[index].type, time: time, &random, &out)
            }
        }
    }

    private func list(
        _ open: UInt8, _ close: UInt8, _ count: Int, _ out: inout [UInt8], _ element: (Int, inout [UInt8]) -> Void
    ) {
        out.append(open)
        for index in 0..<count {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            element(index, &out)
        }
        out.append(close)
    }

    private static func quote(_ text: String, _ out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                out += [UInt8(ascii: "\\"), byte]
            } else if byte < 0x20 {
                out += "\\u00".utf8
                out += [hexadecimalDigit(UInt64(byte >> 4)), hexadecimalDigit(UInt64(byte & 15))]
            } else {
                out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
    }
}
