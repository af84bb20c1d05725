internal import PluginAPI
internal import PostgresClient

extension QueryResult {
    /// Cells by the OIDs of their columns: integers and floating-point numbers as numbers, booleans as `true` and
    /// `false`, everything else as the server writes it; numerics keep all their digits that way.
    init(_ result: PostgresResult) {
        let columns = (0..<result.columnCount)
        let types = columns.map(result.typeID)
        self.init(
            columns: columns.map(result.columnName),
            rows: (0..<result.rowCount).map { row in
                columns.map { column in result.text(row, column).map { Self.cell($0, types[column]) } ?? .null }
            })
    }

    private static func cell(_ text: String, _ type: UInt32) -> Cell {
        switch type {
        // int8, int2, int4, oid
        case 20, 21, 23, 26: Int64(text).map(Cell.integer) ?? .text(text)
        // float4, float8
        case 700, 701: Double(text).map(Cell.double) ?? .text(text)
        // bool
        case 16: .text(text == "t" ? "true" : "false")
        default: .text(text)
        }
    }
}
