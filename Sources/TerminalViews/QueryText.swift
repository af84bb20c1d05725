internal import Diagnostics
public import PluginAPI

/// A query's rows for other programs.
public enum QueryText {
    /// RFC 4180 with a header, lines ended by a line feed. Null is an empty field, an empty text is `""`.
    public static func csv(_ result: QueryResult) -> String {
        var text = result.columns.map { csv($0) }.joined(separator: ",") + "\n"
        for row in result.rows {
            text += row.map { cell in
                switch cell {
                case .null: ""
                case .text(let value): csv(value)
                case .integer(let value): "\(value)"
                case .double(let value): "\(value)"
                }
            }.joined(separator: ",")
            text += "\n"
        }
        return text
    }

    /// An array with one object per line, keys in the order of the columns, ended by a line feed.
    ///
    /// Integers and doubles are numbers (digits enough to read the same double back), null and what JSON cannot
    /// say (NaN, infinity) are `null`. A column name that comes again gets `_2`, `_3`, ….
    public static func json(_ result: QueryResult) -> String {
        guard !result.rows.isEmpty else { return "[]\n" }
        let keys = uniqueNames(result.columns).map { JSONValue.quoted($0) }
        let lines = result.rows.map { row in
            "  {" + zip(keys, row).map { key, cell in "\(key): \(json(cell))" }.joined(separator: ", ") + "}"
        }
        return "[\n" + lines.joined(separator: ",\n") + "\n]\n"
    }

    private static func csv(_ field: String) -> String {
        // Scalars, not characters: CR LF is one character of Swift and would be missed.
        let needsQuotes = field.isEmpty || field.utf8.contains { $0 == 0x2C || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D }
        guard needsQuotes else { return field }
        var text = "\""
        for scalar in field.unicodeScalars {
            if scalar == "\"" { text += "\"" }
            text.unicodeScalars.append(scalar)
        }
        return text + "\""
    }

    private static func json(_ cell: QueryResult.Cell) -> String {
        switch cell {
        case .null: "null"
        case .text(let value): JSONValue.quoted(value)
        case .integer(let value): "\(value)"
        case .double(let value): value.isFinite ? "\(value)" : "null"
        }
    }

    private static func uniqueNames(_ names: [String]) -> [String] {
        var taken: Set<String> = []
        return names.map { name in
            var unique = name
            var number = 1
            while !taken.insert(unique).inserted {
                number += 1
                unique = "\(name)_\(number)"
            }
            return unique
        }
    }
}
