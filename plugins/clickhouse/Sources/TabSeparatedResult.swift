internal import PluginAPI

/// Reads the format `TabSeparatedWithNamesAndTypes`.
///
/// Not JSON: there ClickHouse writes NaN and infinity as null, and decimals as numbers that most readers round.
enum TabSeparatedResult {
    static let format = "TabSeparatedWithNamesAndTypes"

    private enum Kind { case text, integer, double }

    /// Nil when the bytes are not a result of that format. No bytes at all are a statement without a result.
    static func parse(_ body: [UInt8]) -> QueryResult? {
        if body.isEmpty { return QueryResult(columns: [], rows: []) }
        guard body.last == UInt8(ascii: "\n") else { return nil }
        var lines = body.dropLast().split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[...]
        guard let names = lines.popFirst().map(fields), let types = lines.popFirst().map(fields),
            names.count == types.count
        else { return nil }
        let kinds = types.map { kind(of: text($0)) }
        var result = QueryResult(columns: names.map(text), rows: [])
        result.rows.reserveCapacity(lines.count)
        for line in lines {
            let cells = fields(line)
            guard cells.count == kinds.count else { return nil }
            result.rows.append(zip(cells, kinds).map(cell))
        }
        return result
    }

    private static func fields(_ line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
    }

    private static func kind(of type: String) -> Kind {
        var bare = type
        for wrapper in ["LowCardinality(", "Nullable("] where bare.hasPrefix(wrapper) {
            bare = String(bare.dropFirst(wrapper.count).dropLast())
        }
        return switch bare {
        case "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64": .integer
        case "Float32", "Float64": .double
        default: .text
        }
    }

    private static func cell(_ field: ArraySlice<UInt8>, _ kind: Kind) -> QueryResult.Cell {
        // A text that is a backslash and an N comes with its backslash doubled.
        if field.elementsEqual([UInt8(ascii: "\\"), UInt8(ascii: "N")]) { return .null }
        let text = text(field)
        switch kind {
        case .text: return .text(text)
        // An unsigned number above the range of Int64 stays text, with all its digits.
        case .integer: return Int64(text).map { .integer($0) } ?? .text(text)
        case .double: return Double(text).map { .double($0) } ?? .text(text)
        }
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String {
        guard field.contains(UInt8(ascii: "\\")) else { return String(decoding: field, as: UTF8.self) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(field.count)
        var isEscaped = false
        for byte in field {
            if isEscaped {
                isEscaped = false
                switch byte {
                case UInt8(ascii: "b"): bytes.append(0x08)
                case UInt8(ascii: "f"): bytes.append(0x0C)
                case UInt8(ascii: "n"): bytes.append(0x0A)
                case UInt8(ascii: "r"): bytes.append(0x0D)
                case UInt8(ascii: "t"): bytes.append(0x09)
                case UInt8(ascii: "0"): bytes.append(0x00)
                default: bytes.append(byte)
                }
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
