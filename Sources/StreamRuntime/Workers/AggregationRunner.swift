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

    init(_ aggregation: Aggregation, hashKey: HashKey) throws {
        self.aggregation = aggregation
        local = try LocalAggregator(spec: aggregation.spec, hashKey: hashKey)
    }

    /// Prepares for batches of `schema` as the aggregation's input `position`.
    func bind(position: Int, schema: BatchSchema) throws {
        bindings[position] = Binding(
            input: try local.bind(schema),
            filter: try aggregation.filters[position].map { try BoundProgram($0.program, schema: schema) },
            measureFilters: try aggregation.measureFilters.map { filters in
                try filters[position].map { try BoundProgram($0.program, schema: schema) }
            },
            measureSelections: aggregation.measureFilters.map { _ in Selection() })
    }

    /// Counts the rows `eligible` (nil = all) of a batch; gives the number of late rows. Rows on which an expression
    /// fails are appended to `failedRows`.
    func update(
        position: Int, batch: RecordBatch, eligible: Selection?, clock: EventClock, failedRows: inout [Int32]
    ) throws -> Int {
        guard let binding = bindings[position] else { return 0 }
        var selected = eligible.map { UnsafeBufferPointer(start: UnsafePointer($0.rows), count: $0.count) }
        if let filter = binding.filter {
            selected = select(filter, batch, within: selected, binding.selection, &failedRows)
        }
        if let selected, selected.isEmpty { return 0 }
        var measures: [UnsafeBufferPointer<Int32>?] = []
        for (index, filter) in binding.measureFilters.enumerated() {
            measures.append(
                filter.map { select($0, batch, within: selected, binding.measureSelections[index], &failedRows) })
        }
        return try local.update(
            input: binding.input, batch: batch, selection: selected, measureSelections: measures,
            runningMax: UnsafePointer(clock.runningMax)
        ).late
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
