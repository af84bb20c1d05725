public import DataPath

/// Which rows of a batch go on from step to step, and which failed. Reused from batch to batch. Threads: one at a time.
public final class StepRows {
    /// The rows that go on, ascending; without meaning while ``isAll``.
    public let selection = Selection()
    /// True while every row of the batch goes on.
    public private(set) var isAll = true
    /// Rows on which a step has failed, such as by an overflow: they go no further. In the order of the steps.
    public private(set) var failed: [Int32] = []

    public init() {}

    /// Begins a batch with the rows `rows`; nil = all of them.
    public func begin(_ rows: Selection?) {
        failed.removeAll(keepingCapacity: true)
        isAll = rows == nil
        guard let rows else { return }
        selection.removeAll()
        selection.reserve(rows.count)
        selection.rows.update(from: rows.rows, count: rows.count)
        selection.count = rows.count
    }

    /// Leaves those rows on which a boolean program is true. A row on which it fails goes no further.
    public func refine(_ program: BoundProgram, _ batch: RecordBatch) {
        program.select(batch, into: selection, refining: !isAll)
        isAll = false
        failed += program.errorRows
    }

    /// Takes out rows that failed, ascending. Rows that do not go on anyway are none of them.
    public func fail(_ rows: [Int32], of rowCount: Int) {
        guard !rows.isEmpty else { return }
        if isAll {
            selection.selectAll(rowCount)
            isAll = false
        }
        let selected = selection.rows
        var kept = 0
        var next = 0
        for position in 0..<selection.count {
            let row = selected[position]
            while next < rows.count, rows[next] < row { next += 1 }
            if next < rows.count, rows[next] == row {
                failed.append(row)
            } else {
                selected[kept] = row
                kept += 1
            }
        }
        selection.count = kept
    }

    /// The rows that go on; nil = all.
    public var selected: Selection? { isAll ? nil : selection }
}
