internal import AvroSchema
package import DataPath
package import Diagnostics
package import PlatformModel

/// Which names of the file fill which columns of the event type, and how.
package struct ConversionPlan {
    /// How a column's cells are read.
    package enum Conversion {
        case boolean, int, long, float, double, string, bytes, date, timestamp, uuid
        case decimal(precision: Int, scale: Int)
        case money(scale: Int)
        case enumeration(symbols: [String])
        /// An array or map as JSON text.
        case json(FieldType)
    }

    package struct Column {
        package var name: String
        package var conversion: Conversion
        package var isNullable: Bool
        /// The cell in a row of the table; for money the one with cents. -1 = none.
        package var slot: Int
        /// The cell with a money field's amount.
        package var amountSlot = -1
        /// The field's default as text, for records without the field.
        var defaultText: [UInt8]?
        var isDefaultNull = false
    }

    package private(set) var columns: [Column] = []
    /// Names in the file, one per cell of a row.
    package private(set) var paths: [String] = []
    package let eventIDColumn: Int?

    /// A plan for `wanted` columns of the event type, nil = all. Throws `SP3209` for mappings to unknown fields.
    package init(
        _ eventType: EventType, wanted: [ColumnSpec]? = nil, mappings: [NameMapping]
    ) throws(DiagnosticsError) {
        let wanted = wanted ?? eventType.columns
        var leaves: [String: Field] = [:]
        Self.collect(eventType.fields, prefix: "", into: &leaves)
        eventIDColumn = wanted.firstIndex { $0.name == "event_id" }
        var moneyNames: [String: String] = [:]
        for (name, field) in leaves { if case .money = field.type { moneyNames[String(name.dropLast(6))] = name } }
        var known = eventType.columns.map(\.name)
        known += moneyNames.keys.sorted()
        var mapped: [String: String] = [:]
        var diagnostics = Diagnostics()
        for mapping in mappings {
            if !known.contains(mapping.field) {
                diagnostics.error(
                    .unknownMapping, "event type '\(eventType.name)' has no field '\(mapping.field)'", at: nil,
                    hint: nearestName(to: mapping.field, among: known).map { "did you mean '\($0)'?" })
            } else if mapped.updateValue(mapping.column, forKey: mapping.field) != nil {
                diagnostics.error(.unknownMapping, "the field '\(mapping.field)' is mapped twice", at: nil)
            }
        }
        try diagnostics.throwIfErrors()
        for spec in wanted {
            let field = leaves[spec.name]
            var column = Column(
                name: spec.name, conversion: Self.conversion(spec, field), isNullable: spec.isNullable, slot: -1)
            if let defaultValue = field?.defaultValue {
                column.defaultText = Self.text(defaultValue)
                column.isDefaultNull = defaultValue == .null
            }
            if case .money = column.conversion {
                let amount = String(spec.name.dropLast(6))
                // A mapping to one of the two names takes the other one's place too.
                let isMapped = mapped[spec.name] != nil || mapped[amount] != nil
                if let path = mapped[spec.name] ?? (isMapped ? nil : spec.name) { column.slot = slot(path) }
                if let path = mapped[amount] ?? (isMapped ? nil : amount) { column.amountSlot = slot(path) }
            } else {
                column.slot = slot(mapped[spec.name] ?? spec.name)
            }
            columns.append(column)
        }
    }

    private mutating func slot(_ path: String) -> Int {
        if let index = paths.firstIndex(of: path) { return index }
        paths.append(path)
        return paths.count - 1
    }

    /// Checks a file's own column names: mapped ones must be there, and one for every required field.
    package func check(
        fileColumns: [String], mappings: [NameMapping], file: String
    ) throws(DiagnosticsError) {
        var diagnostics = Diagnostics()
        for mapping in mappings where !fileColumns.contains(mapping.column) {
            diagnostics.error(
                .unknownMapping, "'\(file)' has no column '\(mapping.column)'", at: nil,
                hint: nearestName(to: mapping.column, among: fileColumns).map { "did you mean '\($0)'?" }
                    ?? "its columns are: \(fileColumns.joined(separator: ", "))")
        }
        for (index, column) in columns.enumerated()
        where !column.isNullable && index != eventIDColumn && column.defaultText == nil {
            let candidates = [column.slot, column.amountSlot].filter { $0 >= 0 }.map { paths[$0] }
            if !candidates.contains(where: fileColumns.contains) {
                diagnostics.error(
                    .missingColumn, "'\(file)' has no column for the required field '\(column.name)'", at: nil,
                    hint: "its columns are: \(fileColumns.joined(separator: ", ")); use --map COLUMN=\(column.name)")
            }
        }
        for (index, name) in fileColumns.enumerated() where fileColumns[..<index].contains(name) {
            diagnostics.error(.unknownInputFormat, "'\(file)' has two columns named '\(name)'", at: nil)
        }
        try diagnostics.throwIfErrors()
    }

    private static func collect(_ fields: [Field], prefix: String, into leaves: inout [String: Field]) {
        for field in fields {
            if case .record(let inner) = field.type {
                collect(inner, prefix: "\(prefix)\(field.name).", into: &leaves)
            } else {
                leaves[prefix + field.storedName] = field
            }
        }
    }

    private static func conversion(_ spec: ColumnSpec, _ field: Field?) -> Conversion {
        if let field {
            switch field.type {
            case .money(let scale): return .money(scale: scale)
            case .enumeration(let symbols): return .enumeration(symbols: symbols)
            case .array, .map: return .json(field.type)
            default: break
            }
        }
        switch spec.type {
        case .boolean: return .boolean
        case .int: return .int
        case .long: return .long
        case .float: return .float
        case .double: return .double
        case .string: return .string
        case .bytes: return .bytes
        case .date: return .date
        case .timestamp: return .timestamp
        case .uuid: return .uuid
        case .decimal(let precision, let scale): return .decimal(precision: precision, scale: scale)
        case .json: return .json(.map(.string))
        }
    }

    /// A default as the text of a cell; nil for null.
    private static func text(_ value: AvroDefault) -> [UInt8]? {
        switch value {
        case .null: nil
        case .boolean(let value): Array((value ? "true" : "false").utf8)
        case .integer(let value): Array(String(value).utf8)
        case .double(let value): Array(value.description.utf8)
        case .string(let value): Array(value.utf8)
        case .array, .object: Array(json(value).utf8)
        }
    }

    private static func json(_ value: AvroDefault) -> String {
        switch value {
        case .null: return "null"
        case .array(let values): return "[" + values.map(json).joined(separator: ",") + "]"
        case .object(let members):
            let parts = members.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(json($0.value))" }
            return "{" + parts.joined(separator: ",") + "}"
        case .string(let text): return quoted(text)
        case .boolean(let value): return value ? "true" : "false"
        case .integer(let value): return String(value)
        case .double(let value): return value.description
        }
    }

    private static func quoted(_ text: String) -> String {
        let out = ByteBuffer(capacity: 64)
        var text = text
        text.withUTF8 { TextFormat.writeJSONString(UnsafeRawBufferPointer($0), to: out) }
        return out.string
    }
}
