internal import DataPath

/// A column's type in PostgreSQL.
enum PostgresType: Hashable, Sendable {
    case boolean, integer, bigint, real, double, text, bytea, date, timestamp, uuid, jsonb
    case numeric(precision: Int, scale: Int)
    /// One dimension; the elements are never arrays.
    indirect case array(PostgresType)

    init(_ column: ColumnSpec) {
        if column.type == .json, let element = column.element {
            self = .array(PostgresType(element))
        } else {
            self.init(column.type)
        }
    }

    private init(_ type: LogicalType) {
        switch type {
        case .boolean: self = .boolean
        case .int: self = .integer
        case .long: self = .bigint
        case .float: self = .real
        case .double: self = .double
        case .string: self = .text
        case .bytes: self = .bytea
        case .date: self = .date
        case .timestamp: self = .timestamp
        case .uuid: self = .uuid
        case .decimal(let precision, let scale): self = .numeric(precision: precision, scale: scale)
        case .json: self = .jsonb
        }
    }

    /// As the server's `format_type` writes it.
    var name: String {
        switch self {
        case .boolean: "boolean"
        case .integer: "integer"
        case .bigint: "bigint"
        case .real: "real"
        case .double: "double precision"
        case .text: "text"
        case .bytea: "bytea"
        case .date: "date"
        case .timestamp: "timestamp with time zone"
        case .uuid: "uuid"
        case .jsonb: "jsonb"
        case .numeric(let precision, let scale): "numeric(\(precision),\(scale))"
        case .array(let element): "\(element.name)[]"
        }
    }

    /// The type's OID, which is the same in every server; 0 for an array, which is never an element.
    var typeID: Int32 {
        switch self {
        case .boolean: 16
        case .bytea: 17
        case .bigint: 20
        case .integer: 23
        case .text: 25
        case .real: 700
        case .double: 701
        case .date: 1082
        case .timestamp: 1184
        case .numeric: 1700
        case .uuid: 2950
        case .jsonb: 3802
        case .array: 0
        }
    }
}
