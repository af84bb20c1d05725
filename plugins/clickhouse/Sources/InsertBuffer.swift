internal import DataPath
internal import PluginAPI

/// Rows of one table that the server does not have yet.
final class InsertBuffer {
    let statement: String
    private(set) var bytes = ByteBuffer()
    private(set) var rowCount = 0
    /// The versions of the first and the last row.
    private(set) var versions: ClosedRange<UInt64> = 0...0
    private let encoder: RowBinaryEncoder

    /// A buffer that held more gives its memory back.
    private static let keptCapacity = 16 << 20

    init(_ table: TableDefinition, statement: String) {
        self.statement = statement
        encoder = RowBinaryEncoder(table.columns)
    }

    func append(_ rows: RecordBatch, firstVersion: UInt64) throws {
        try encoder.append(rows, firstVersion: firstVersion, to: bytes)
        let last = firstVersion + UInt64(rows.rowCount) - 1
        versions = rowCount == 0 ? firstVersion...last : versions.lowerBound...last
        rowCount += rows.rowCount
    }

    func removeAll() {
        if bytes.capacity > Self.keptCapacity { bytes = ByteBuffer() } else { bytes.removeAll() }
        rowCount = 0
    }
}
