internal import DataPath

/// How the values of a column lie in ClickHouse.
enum ColumnForm: Hashable {
    case scalar(LogicalType)
    /// `Array` of scalars.
    case array(LogicalType)
    /// `Map` of texts to scalars.
    case map(LogicalType)

    /// ClickHouse has no nullable array or map: a column that may be null stays JSON text, which keeps null apart from
    /// empty. So do arrays and maps whose values are no scalars.
    init(_ column: ColumnSpec, _ version: ServerVersion) {
        if column.type == .json, !column.isNullable {
            if let element = column.element {
                self = .array(element)
                return
            }
            if let value = column.mapValue, version >= .map {
                self = .map(value)
                return
            }
        }
        self = .scalar(column.type)
    }
}
