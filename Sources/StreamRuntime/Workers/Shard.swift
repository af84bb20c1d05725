internal import DataPath
internal import Diagnostics
internal import PlatformModel
internal import PluginAPI

/// The groups of every aggregation whose key hash belongs to one worker: merges what all workers counted and makes rows.
/// Threads: one.
final class Shard {
    private let aggregators: [ShardAggregator]
    private let aggregations: [Aggregation]
    private let emission: [EmissionMode]
    private let schemas: [BatchSchema]
    /// Where the state is, as this shard has written it, by aggregation. All are equally long: a file has a part of each, so
    /// none keeps old files that have nothing but dead parts of others.
    private var chains: [[StateFile]]
    private let longestChain: Int
    private let fault: PlantedFault?
    /// Per worker, per aggregation.
    private var watermarks: [[WatermarkReport]]
    private var barrierArrivals: Set<Int> = []
    /// The highest watermarks that came with the barrier, by aggregation.
    private(set) var barrierWatermarks: [Int64]
    /// By aggregation, as they were told.
    private var lateCounts: [Int]

    init(
        aggregations: [Aggregation], emission: [EmissionMode], schemas: [BatchSchema], hashKey: HashKey,
        workerCount: Int, memory: MemoryBudget, longestChain: Int = RunHost().longestChain, fault: PlantedFault? = nil
    ) throws {
        self.fault = fault
        self.longestChain = longestChain
        chains = aggregations.map { _ in [] }
        self.aggregations = aggregations
        self.emission = emission
        self.schemas = schemas
        aggregators = try aggregations.enumerated().map { index, aggregation in
            do {
                return try ShardAggregator(
                    spec: aggregation.spec, hashKey: hashKey, account: memory.account(of: index))
            } catch let error as AggregationError {
                throw aggregation.failure(error)
            }
        }
        // A worker that has not reported yet holds the watermark back.
        let unknown = WatermarkReport(active: .min, idle: .min)
        watermarks = Array(repeating: Array(repeating: unknown, count: aggregations.count), count: workerCount)
        lateCounts = aggregations.map { _ in 0 }
        for aggregator in aggregators { aggregator.fault = fault?.ofState }
        barrierWatermarks = aggregations.map { _ in .min }
    }

    /// Takes the state of the shard `index` of `count` from a checkpoint that any number of shards wrote.
    ///
    /// - Parameter folder: Of the checkpoint.
    func restore(
        _ checkpoint: Checkpoint, in folder: String, _ files: any CheckpointFiles, index: Int, count: Int
    ) throws {
        let reader = StateFileReader(folder: folder, files: files)
        for (position, aggregation) in aggregations.enumerated() {
            guard let section = checkpoint.section(aggregation.name, fingerprint: aggregation.fingerprint) else {
                continue
            }
            let restorer = StateRestorer(aggregators[position], fingerprint: aggregation.fingerprint) {
                LocalAggregator.shard(of: $0, count: count) == index
            }
            try reporting(position) {
                for bytes in section.shards {
                    try restorer.restore(parts: 1) { _, take in try bytes.withUnsafeBytes(take) }
                }
                // As many shards as there were: each has all of its groups and no others in a chain of its own.
                for chain in section.chains.count == count ? section.chains[index...index] : section.chains[...] {
                    try restorer.restore(parts: chain.count) { part, take in
                        try read(chain[part], reader, take)
                    }
                }
            }
        }
    }

    private func read(
        _ file: StateFile, _ reader: StateFileReader, _ take: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        do {
            try reader.forEachPiece(of: file, take)
        } catch is StateFileReader.Damage {
            throw PipelineError(
                .checkpointUnreadable,
                "\(reader.folder)/\(file.name) cannot be read any more: it has changed meanwhile", exitCode: 1)
        }
    }

    func take(_ message: ShardMessage) throws {
        switch message {
        case .partial(let aggregation, let batch):
            try reporting(aggregation) { try aggregators[aggregation].merge(batch) }
        case .encodedPartial(let aggregation, let bytes):
            try reporting(aggregation) { try bytes.withUnsafeBytes { try aggregators[aggregation].merge(encoded: $0) } }
        case .watermarks(let worker, let reports): watermarks[worker] = reports
        case .barrier(let worker, _, let published):
            barrierArrivals.insert(worker)
            for index in barrierWatermarks.indices {
                barrierWatermarks[index] = max(barrierWatermarks[index], published[index])
            }
        }
    }

    /// True once every worker has sent the barrier.
    func hasBarrier(from workerCount: Int) -> Bool { barrierArrivals.count == workerCount }
    func clearBarrier() { barrierArrivals = [] }

    /// The lowest watermark of any aggregation; nil before there is one.
    var watermark: Int64? { aggregators.map(\.watermark).filter { $0 != .min }.min() }

    /// The watermarks that the newest reports of all workers give together; `Int64.min` where there is none.
    var combinedWatermarks: [Int64] {
        aggregators.indices.map { index in WatermarkReport.combine(watermarks.map { $0[index] }) ?? .min }
    }

    /// The watermarks that the shard has reached, also by a checkpoint.
    var reachedWatermarks: [Int64] { aggregators.map(\.watermark) }

    /// Windows with state and its bytes, by aggregation.
    var sizes: [(windows: Int, bytes: Int)] { aggregators.map { ($0.openWindows, $0.memoryBytes) } }

    /// What came after all its windows were closed, since the last call and by aggregation: rows without a session, and
    /// groups of a partition that was idle and woke up.
    func takeLateCounts() -> [Int] {
        let totals = aggregators.map(\.lateCount)
        defer { lateCounts = totals }
        return zip(totals, lateCounts).map { $0 - $1 }
    }

    /// What was kept of rows that were found to be late since the last call.
    func takeLateRecords() -> [[UInt8]] { aggregators.flatMap { $0.takeLateRecords() } }

    /// The rows that are due at these watermarks, per aggregation: changed ones or those of windows that closed; with
    /// `onlyClosed` none of windows that can still change.
    func emit(
        at published: [Int64], onlyClosed: Bool, _ give: @escaping (_ aggregation: Int, RecordBatch) -> Void
    ) throws {
        for (index, aggregator) in aggregators.enumerated() {
            aggregator.advance(watermark: published[index])
            try reporting(index) {
                let skips = fault == .skippedWindow
                let loses = onlyClosed && fault == .earlyRowsLost
                let rows = RowOutput(schema: schemas[index]) {
                    if !loses { give(index, skips ? Self.withoutFirstWindow($0) : $0) }
                }
                try aggregator.takeDue(emission[index], onlyClosed: onlyClosed, into: rows)
                rows.finish()
            }
        }
    }

    /// ``PlantedFault/skippedWindow``.
    private static func withoutFirstWindow(_ rows: RecordBatch) -> RecordBatch {
        guard case .int64(let starts) = rows.columns[0], case .int64(let ends) = rows.columns[1] else { return rows }
        let kept = (0..<Int32(rows.rowCount)).filter {
            starts.values[Int($0)] != starts.values[0] || ends.values[Int($0)] != ends.values[0]
        }
        guard !kept.isEmpty else { return rows }
        let rest = RecordBatch(schema: rows.schema, capacity: kept.count)
        kept.withUnsafeBufferPointer { rest.append(rows, rows: $0) }
        return rest
    }

    /// The rows of all open windows of the aggregations that do not emit updates; the state stays.
    func emitOpenWindows(_ give: @escaping (_ aggregation: Int, RecordBatch) -> Void) throws {
        for (index, aggregator) in aggregators.enumerated() where emission[index] != .updates {
            try reporting(index) {
                let rows = RowOutput(schema: schemas[index]) { give(index, $0) }
                try aggregator.takeOpen(into: rows)
                rows.finish()
            }
        }
    }

    /// Writes what changed since the last call, or the whole state, to a file in the checkpoint's folder; gives where the state
    /// is, by aggregation. After a thrown error the next call would not know what changed: the run ends with it.
    func save(to folder: String, _ files: any CheckpointFiles, name: String) throws -> [[StateFile]] {
        let writer = try StateFileWriter(folder: folder, name: name, files: files)
        let onlyChanges = mayGrow
        for index in aggregators.indices {
            try reporting(index) {
                try aggregators[index].serialize(
                    fingerprint: aggregations[index].fingerprint, onlyChanges: onlyChanges
                ) { try writer.append($0) }
            }
            if !onlyChanges { chains[index] = [] }
            chains[index].append(writer.finish())
        }
        try writer.close()
        return chains
    }

    /// Whether what changed is worth a further part: reading all of them costs half as much again as reading the state.
    private var mayGrow: Bool {
        guard let length = chains.first?.count, length > 0, length < longestChain else { return false }
        let whole = chains.reduce(0) { $0 + $1[0].length }
        let changes = chains.reduce(0) { $0 + $1.dropFirst().reduce(0) { $0 + $1.length } }
        return changes * 2 <= whole
    }

    private func reporting(_ index: Int, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as AggregationError {
            throw aggregations[index].failure(error)
        }
    }
}
