package import DataPath
package import PluginAPI

/// A value of a row. Numbers of every width are integers.
package enum Value: ExpressibleByNilLiteral, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral,
    ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral
{
    case null, boolean(Bool), integer(Int128), double(Double), bytes([UInt8])

    package init(nilLiteral: ()) { self = .null }
    package init(integerLiteral value: Int64) { self = .integer(Int128(value)) }
    package init(stringLiteral value: String) { self = .bytes(Array(value.utf8)) }
    package init(floatLiteral value: Double) { self = .double(value) }
    package init(booleanLiteral value: Bool) { self = .boolean(value) }
}

extension RecordBatch {
    /// Rows of a table.
    package convenience init(_ table: TableDefinition, _ rows: [[Value]]) {
        self.init(schema: BatchSchema(table.columns))
        for row in rows {
            for (column, value) in zip(columns, row) { column.append(value) }
            rowCount += 1
        }
    }
}

extension ColumnVector {
    fileprivate func append(_ value: Value) {
        switch (self, value) {
        case (.boolean(let vector), .boolean(let value)): vector.append(value)
        case (.boolean(let vector), _): vector.appendNull()
        case (.int64(let vector), .integer(let value)): vector.append(Int64(value))
        case (.int64(let vector), _): vector.appendNull()
        case (.int128(let vector), .integer(let value)): vector.append(value)
        case (.int128(let vector), _): vector.appendNull()
        case (.double(let vector), .double(let value)): vector.append(value)
        case (.double(let vector), .integer(let value)): vector.append(Double(value))
        case (.double(let vector), _): vector.appendNull()
        case (.bytes(let vector), .bytes(let value)): value.withUnsafeBytes { vector.append($0) }
        case (.bytes(let vector), _): vector.appendNull()
        case (.dictionary(let codes, let dictionary), .bytes(let value)):
            codes.append(value.withUnsafeBytes { dictionary.code(for: $0) })
        case (.dictionary(let codes, _), _): codes.appendNull()
        case (.hash(let vector), _): vector.appendNull()
        }
    }
}

extension Value {
    package init(_ text: String) { self = .bytes(Array(text.utf8)) }
}
