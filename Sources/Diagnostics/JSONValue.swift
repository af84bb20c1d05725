/// A JSON value that prints itself: for views of diagnostics and configuration.
public indirect enum JSONValue: Hashable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int)
    /// Infinities and NaN, which JSON lacks, print as the strings `Infinity`, `-Infinity` and `NaN`.
    case number(Double)
    case string(String)
    case array([JSONValue])
    /// Keys print in sorted order, so that the same value always gives the same text.
    case object([String: JSONValue])

    /// The value as JSON text, RFC 8259, without a final newline; indented by two spaces unless `compact`.
    public func text(compact: Bool = false) -> String {
        var out = ""
        write(to: &out, indent: compact ? nil : 0)
        return out
    }

    /// `text` as a JSON string with its quotes. Control characters, quotes and backslashes are escaped.
    public static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _
            where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
                || scalar.value == 0x2028 || scalar.value == 0x2029 || scalar.value == 0xFEFF:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    private func write(to out: inout String, indent: Int?) {
        switch self {
        case .null: out += "null"
        case .boolean(let value): out += value ? "true" : "false"
        case .integer(let value): out += String(value)
        case .number(let value):
            if value.isFinite {
                out += String(describing: value)
            } else {
                out += value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\""
            }
        case .string(let text): out += Self.quoted(text)
        case .array(let items):
            writeList("[", items, "]", to: &out, indent: indent) { item, inner, out in
                item.write(to: &out, indent: inner)
            }
        case .object(let members):
            writeList("{", members.sorted { $0.key < $1.key }, "}", to: &out, indent: indent) { member, inner, out in
                out += Self.quoted(member.key) + (inner == nil ? ":" : ": ")
                member.value.write(to: &out, indent: inner)
            }
        }
    }

    private func writeList<Item>(
        _ open: String, _ items: [Item], _ close: String, to out: inout String, indent: Int?,
        _ writeItem: (Item, Int?, inout String) -> Void
    ) {
        out += open
        let inner = indent.map { $0 + 2 }
        for (index, item) in items.enumerated() {
            if index > 0 { out += "," }
            if let inner { out += "\n" + String(repeating: " ", count: inner) }
            writeItem(item, inner, &out)
        }
        if let indent, !items.isEmpty { out += "\n" + String(repeating: " ", count: indent) }
        out += close
    }
}
