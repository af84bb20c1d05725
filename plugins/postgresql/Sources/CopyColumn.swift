internal import DataPath

/// One column of a batch with the type that it gets in PostgreSQL. Valid as long as its batch.
struct CopyColumn: BitwiseCopyable {
    enum Kind: UInt8 {
        case boolean, integer, bigint, real, double, date, timestamp, numeric, text, bytea, uuid, jsonb, array

        init(_ type: PostgresType) {
            self =
                switch type {
                case .boolean: .boolean
                case .integer: .integer
                case .bigint: .bigint
                case .real: .real
                case .double: .double
                case .date: .date
                case .timestamp: .timestamp
                case .numeric: .numeric
                case .text: .text
                case .bytea: .bytea
                case .uuid: .uuid
                case .jsonb: .jsonb
                case .array: .array
                }
        }
    }

    let kind: Kind
    /// Of numerics.
    let scale: Int
    private let column: PlainColumn

    /// Nil when the vector does not hold what the type needs: only hashes.
    init?(_ vector: ColumnVector, _ type: PostgresType) {
        if case .hash = vector { return nil }
        kind = Kind(type)
        scale = if case .numeric(_, let scale) = type { scale } else { 0 }
        column = PlainColumn(vector)
    }

    @inline(__always)
    func isNull(_ row: Int) -> Bool { column.isNull(row) }

    @inline(__always)
    func value<Value: BitwiseCopyable>(_ row: Int, as type: Value.Type) -> Value { column.value(row, as: type) }

    @inline(__always)
    func bytes(_ row: Int) -> UnsafeRawBufferPointer { column.text(row) }
}
