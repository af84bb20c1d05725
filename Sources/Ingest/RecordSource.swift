internal import RecordConversion

/// Reads records as cells.
protocol RecordSource: AnyObject {
    /// Replaces the table's contents with up to ``CellTable/maxRecords`` records and returns how many; 0 at the end.
    func read(into table: CellTable, maxRecords: Int) throws -> Int
    /// Names that occurred and are not wanted.
    var ignoredColumns: [String] { get }
    /// False when line numbers are the numbers of records.
    var hasLines: Bool { get }
    /// What the table's only record stands for when its status is ``RecordStatus/lost``.
    var loss: SourceLoss? { get }
}

extension RecordSource {
    var hasLines: Bool { true }
    var loss: SourceLoss? { nil }
}

/// A part of a file that cannot be read.
struct SourceLoss {
    /// How many records it held, if that is known.
    var recordCount: Int?
    var reason: String
}
