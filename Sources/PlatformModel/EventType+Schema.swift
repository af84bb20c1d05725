import AvroSchema
import DataPath

extension EventType {
    /// The record of an event: `event_id`, `timestamp`, the key, then the fields. Inline types are named after their
    /// place: `<event>_<field>`.
    static func schema(
        name: String, namespace: String, doc: String?, primaryKey: String, fields: [Field]
    ) -> AvroRecord {
        let head = [
            AvroField(name: "event_id", type: .string),
            AvroField(name: "timestamp", type: .logical(base: .long, .timestampMillis)),
            AvroField(name: primaryKey, type: .string),
        ]
        return AvroRecord(
            name: name, namespace: namespace, doc: doc, fields: head + fields.map { avroField($0, within: name) })
    }

    private static func avroField(_ field: Field, within name: String) -> AvroField {
        let type = avroType(field.type, named: "\(name)_\(field.name)")
        guard field.isNullable else {
            return AvroField(name: field.storedName, type: type, doc: field.doc, defaultValue: field.defaultValue)
        }
        // A union's default must be of its first branch.
        guard let value = field.defaultValue, value != .null else {
            return AvroField(name: field.storedName, type: .union([.null, type]), doc: field.doc, defaultValue: .null)
        }
        return AvroField(name: field.storedName, type: .union([type, .null]), doc: field.doc, defaultValue: value)
    }

    private static func avroType(_ type: FieldType, named name: String) -> AvroSchema {
        switch type {
        case .string: .string
        case .int: .int
        case .long, .money: .long
        case .float: .float
        case .double: .double
        case .boolean: .boolean
        case .bytes: .bytes
        case .date: .logical(base: .int, .date)
        case .timestamp: .logical(base: .long, .timestampMillis)
        case .uuid: .logical(base: .string, .uuid)
        case .decimal(let precision, let scale): .logical(base: .bytes, .decimal(precision: precision, scale: scale))
        case .enumeration(let symbols): .enumeration(name: name, namespace: nil, symbols: symbols)
        case .record(let fields): .record(AvroRecord(name: name, fields: fields.map { avroField($0, within: name) }))
        case .array(let inner): .array(avroType(inner, named: name))
        case .map(let inner): .map(avroType(inner, named: name))
        }
    }

    /// The names that ``schema(name:namespace:doc:primaryKey:fields:)`` gives to inline types.
    static func inlineNames(_ fields: [Field], within name: String) -> [(name: String, field: Field)] {
        func names(_ type: FieldType, _ name: String, _ field: Field) -> [(name: String, field: Field)] {
            switch type {
            case .enumeration: [(name, field)]
            case .record(let inner): [(name, field)] + inlineNames(inner, within: name)
            case .array(let inner), .map(let inner): names(inner, name, field)
            default: []
            }
        }
        return fields.flatMap { names($0.type, "\(name)_\($0.name)", $0) }
    }

    /// The flattened columns: records become their leaves, nullable if any record above is.
    static func columns(primaryKey: String, fields: [Field]) -> [ColumnSpec] {
        let head = [
            ColumnSpec("event_id", .string), ColumnSpec("timestamp", .timestamp), ColumnSpec(primaryKey, .string),
        ]
        return head + fields.flatMap { leaves($0, prefix: "", isNullable: false) }
    }

    private static func leaves(_ field: Field, prefix: String, isNullable: Bool) -> [ColumnSpec] {
        let isNullable = isNullable || field.isNullable
        if case .record(let inner) = field.type {
            return inner.flatMap { leaves($0, prefix: "\(prefix)\(field.name).", isNullable: isNullable) }
        }
        guard let type = field.type.logicalType else { return [] }
        var column = ColumnSpec(prefix + field.storedName, type, isNullable: isNullable)
        switch field.type {
        case .array(let inner) where inner.logicalType != .json: column.element = inner.logicalType
        case .map(let inner) where inner.logicalType != .json: column.mapValue = inner.logicalType
        default: break
        }
        return [column]
    }
}
