package import DataPath
package import PluginAPI

extension TableDefinition {
    /// A result table of the domain `shop`, whose key is the first column, or those named.
    package init(_ name: String, _ columns: [ColumnSpec], key: [String]? = nil, fingerprint: String = "1") {
        self.init(
            name: name, content: .aggregation, columns: columns, key: key ?? [columns[0].name], fingerprint: fingerprint
        )
        owner = "shop"
    }

    package static let counts = TableDefinition("counts", [ColumnSpec("k", .string), ColumnSpec("n", .long)])

    /// Rows `k0`, `k1` … with their number times `factor`.
    package static func rows(_ range: Range<Int>, factor: Int = 1) -> RecordBatch {
        RecordBatch(counts, range.map { [Value("k\($0)"), .integer(Int128($0 * factor))] })
    }
}
