internal import DataPath
internal import Diagnostics
internal import Expressions
internal import PlatformModel

/// One aggregation on one worker: its filters, bound to the batches of each input, and its local state. Threads: one.
final class AggregationRunner {
    let aggregation: Aggregation
    let local: LocalAggregator
    private var bindings: [Int: Binding] = [:]

    /// How one input's batches feed the aggregation.
    private struct Binding {
        var input: Int
        var filter: BoundProgram?
        var measureFilters: [BoundProgram?]
        let selection = Selection()
        let measureSelections: [Selection]
    }

    init(_ aggregation: Aggregation, hashKey: HashKey, account: MemoryAccount) throws {
        self.aggregation = aggregation
        do {
            local = try LocalAggregator(spec: aggregation.spec, hashKey: hashKey, account: account)
        } catch {
            throw aggregation.failure(error)
        }
    }

    /// Prepares for batches of `schema` as the aggregation's input `position`.
    func bind(position: Int, schema: BatchSchema) throws {
        let input: Int
        do {
            input = try local.bind(schema)
        } catch {
            throw aggregation.failure(error)
        }
        bindings[position] = Binding(
            input: input,
            filter: try aggregation.filters[position].map { try BoundProgram($0.program, schema: schema) },
            measureFilters: try aggregation.measureFilters.map { filters in
                try filters[position].map { try BoundProgram($0.program, schema: schema) }
            },
            measureSelections: aggregation.measureFilters.map { _ in Selection() })
    }

    /// Counts the rows `eligible` (nil = all) of a batch; gives the number of late rows.
    ///
    /// A row on which one of the aggregation's filters fails counts in none of its measures; such rows are put into
    /// `failedRows`, ascending, each once.
    func update(
        position: Int, batch: RecordBatch, eligible: Selection?, clock: EventClock, failedRows: inout [Int32]
    ) throws -> Int {
        guard let binding = bindings[position] else { return 0 }
        var selected = eligible.map { UnsafeBufferPointer(start: UnsafePointer($0.rows), count: $0.count) }
        if let filter = binding.filter {
            selected = select(filter, batch, within: selected, binding.selection, &failedRows)
        }
        var measures: [UnsafeBufferPointer<Int32>?] = []
        for (index, filter) in binding.measureFilters.enumerated() {
            measures.append(
                filter.map { select($0, batch, within: selected, binding.measureSelections[index], &failedRows) })
        }
        if !failedRows.isEmpty {
            failedRows = Set(failedRows).sorted()
            selected = leaveOut(failedRows, of: selected, rowCount: batch.rowCount, binding.selection)
        }
        if let selected, selected.isEmpty { return 0 }
        return try local.update(
            input: binding.input, batch: batch, selection: selected, measureSelections: measures,
            runningMax: UnsafePointer(clock.runningMax)
        ).late
    }

    /// Whether the first row of a batch passes the aggregation's filter. Counts nothing; a row on which one of the filters
    /// fails is put into `failedRows`.
    func passes(position: Int, batch: RecordBatch, failedRows: inout [Int32]) throws -> Bool {
        guard let binding = bindings[position] else { return false }
        var selected: UnsafeBufferPointer<Int32>?
        if let filter = binding.filter {
            selected = select(filter, batch, within: nil, binding.selection, &failedRows)
        }
        for (index, filter) in binding.measureFilters.enumerated() {
            guard let filter else { continue }
            _ = select(filter, batch, within: selected, binding.measureSelections[index], &failedRows)
        }
        return selected?.contains(0) ?? true
    }

    /// The rows `selected` (nil = all) without `failed`, both ascending. The result lies in `selection`, where `selected`
    /// may lie too.
    private func leaveOut(
        _ failed: [Int32], of selected: UnsafeBufferPointer<Int32>?, rowCount: Int, _ selection: Selection
    ) -> UnsafeBufferPointer<Int32> {
        selection.reserve(selected?.count ?? rowCount)
        let rows = selection.rows
        var kept = 0
        var next = 0
        for position in 0..<(selected?.count ?? rowCount) {
            let row = selected?[position] ?? Int32(truncatingIfNeeded: position)
            while next < failed.count, failed[next] < row { next += 1 }
            if next < failed.count, failed[next] == row { continue }
            rows[kept] = row
            kept += 1
        }
        selection.count = kept
        return UnsafeBufferPointer(start: UnsafePointer(rows), count: kept)
    }

    private func select(
        _ filter: BoundProgram, _ batch: RecordBatch, within rows: UnsafeBufferPointer<Int32>?,
        _ selection: Selection, _ failedRows: inout [Int32]
    ) -> UnsafeBufferPointer<Int32> {
        if let rows, let start = rows.baseAddress {
            selection.reserve(rows.count)
            selection.rows.update(from: start, count: rows.count)
            selection.count = rows.count
        } else if rows != nil {
            selection.removeAll()
        }
        filter.select(batch, into: selection, refining: rows != nil)
        failedRows += filter.errorRows
        return UnsafeBufferPointer(start: UnsafePointer(selection.rows), count: selection.count)
    }
}
