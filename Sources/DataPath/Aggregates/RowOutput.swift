/// Takes result rows and gives them on in batches of bounded size, so that however many rows are due at once, a few batches
/// of them are in memory. Threads: one at a time.
public final class RowOutput {
    private let schema: BatchSchema
    private let rowLimit: Int
    private let byteLimit: Int
    private let give: (RecordBatch) -> Void
    /// What has not been given yet.
    private(set) var batch: RecordBatch

    /// Groups between two looks at the size.
    static let step = 4096

    /// - Parameters:
    ///   - rowLimit: A batch with so many rows is given.
    ///   - byteLimit: So is one with so many bytes, within some thousand rows.
    ///   - give: Owns the batch from then on. May wait.
    public init(
        schema: BatchSchema, rowLimit: Int = 65_536, byteLimit: Int = 1 << 24, _ give: @escaping (RecordBatch) -> Void
    ) {
        self.schema = schema
        self.rowLimit = rowLimit
        self.byteLimit = byteLimit
        self.give = give
        batch = RecordBatch(schema: schema)
    }

    /// Appends all rows to one batch.
    init(collecting batch: RecordBatch) {
        schema = batch.schema
        (rowLimit, byteLimit) = (.max, .max)
        give = { _ in }
        self.batch = batch
    }

    /// Gives the batch on when it is full.
    func wrote() {
        if rowLimit < .max, batch.rowCount >= rowLimit || batch.memoryBytes >= byteLimit { finish() }
    }

    /// Gives on what is left.
    public func finish() {
        guard batch.rowCount > 0 else { return }
        let full = batch
        batch = RecordBatch(schema: schema)
        give(full)
    }
}
