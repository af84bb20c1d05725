import DataPath
import Foundation
import PlatformModel
import PluginAPI
import Testing

@testable import StreamRuntime

/// Checkpoints of shards on a real disk, without the rest of a run.
@Suite("Chains of state")
struct ChainTests {
    private static let hashKey = HashKey(k0: 1, k1: 2)

    /// Shards of a number of workers, fed with sales by country and written to checkpoints.
    private final class Writer {
        let topology: Topology
        let store: CheckpointStore
        var shards: [Shard] = []
        private let longestChain: Int
        private var checkpoint: Checkpoint
        private let local: LocalAggregator
        private let input: Int
        private let batch: RecordBatch
        private var sizes: [Int] = []
        private var epoch: UInt64 = 0

        init(folder: String, longestChain: Int = 32) throws {
            topology = Topology(domain: try #require(SimulatedDomain.make(hasArchive: false)))
            store = CheckpointStore(folder: folder)
            self.longestChain = longestChain
            checkpoint = Checkpoint(sequence: 0, epoch: 0, hashKey: hashKey, sections: [])
            let sale = try #require(topology.inputs.first { $0.eventType.name == "sale" })
            local = try LocalAggregator(spec: topology.aggregations[0].spec, hashKey: hashKey)
            input = try local.bind(sale.schema)
            batch = RecordBatch(schema: sale.schema)
        }

        /// Begins, or goes on from the newest checkpoint with another number of workers.
        func start(workers: Int) throws {
            epoch += 1
            shards = try (0..<workers).map { number in
                let shard = try Shard(
                    aggregations: topology.aggregations, emission: topology.aggregations.map { _ in .final },
                    schemas: topology.tables.map { BatchSchema($0.columns) }, hashKey: hashKey, workerCount: workers,
                    memory: MemoryBudget(limitBytes: 1 << 30, names: topology.aggregations.map(\.name)),
                    longestChain: longestChain)
                if let saved = try store.load().candidates.first {
                    try shard.restore(saved, in: store.folder, MachineFiles(), index: number, count: workers)
                }
                return shard
            }
        }

        /// A sale in each of these countries.
        func add(_ countries: Range<Int>) throws {
            batch.removeAll()
            for country in countries {
                for (column, vector) in zip(batch.schema.columns, batch.columns) {
                    switch (vector, column.name) {
                    case (.int64(let values), "timestamp"): values.append(1_000_000)
                    case (.int64(let values), _): values.append(Int64(country))
                    case (.dictionary(let values, let dictionary), _):
                        values.append(Array("country \(country)".utf8).withUnsafeBytes { dictionary.code(for: $0) })
                    case (.hash(let values), _): values.append(Hash128(low: UInt64(country), high: 7))
                    case (.bytes(let values), _): values.append("")
                    default: Issue.record("a column of another kind")
                    }
                }
            }
            batch.rowCount = countries.count
            try local.update(
                input: input, batch: batch, runningMax: [Int64](repeating: .min, count: countries.count))
            for (number, partial) in try local.extract(shardCount: shards.count).enumerated() {
                if let partial { try shards[number].take(.partial(aggregation: 0, partial)) }
            }
        }

        /// Writes a checkpoint and gives the bytes of state that it took.
        func save() throws -> Int {
            checkpoint.sequence += 1
            let places = try shards.enumerated().map { number, shard in
                try shard.save(
                    to: store.folder, MachineFiles(),
                    name: StateFile.name(epoch: epoch, barrier: Int(checkpoint.sequence), worker: number))
            }
            checkpoint.sections = topology.aggregations.enumerated().map { index, aggregation in
                Checkpoint.Section(
                    name: aggregation.name, fingerprint: aggregation.fingerprint, positions: [], shards: [],
                    chains: places.map { $0[index] })
            }
            try store.save(checkpoint)
            return checkpoint.writtenStateBytes
        }

        /// By worker, of all aggregations.
        var chainLengths: [Set<Int>] {
            shards.indices.map { worker in Set(checkpoint.sections.map { $0.chains[worker].count }) }
        }

        var stateFiles: Set<String> {
            get throws {
                Set(
                    try FileManager.default.contentsOfDirectory(atPath: store.folder).filter {
                        $0.hasPrefix(StateFile.prefix)
                    })
            }
        }

        /// Country, events, total, highest, users of all open windows.
        func rows() throws -> Set<String> {
            var rows: Set<String> = []
            for shard in shards {
                try shard.emitOpenWindows { aggregation, batch in
                    for row in 0..<batch.rowCount {
                        let cells = batch.columns[2...].map { column in
                            switch column {
                            case .int64(let values): "\(values.values[row])"
                            case .bytes(let values): String(decoding: values[row], as: UTF8.self)
                            default: "?"
                            }
                        }
                        rows.insert("\(aggregation) \(cells)")
                    }
                }
            }
            return rows
        }
    }

    private static func folder() throws -> String {
        let path = NSTemporaryDirectory() + "streamplat-chains-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    @Test(
        "a checkpoint costs what changed, and everything is written again when the chain is long",
        arguments: [2, 8, 32])
    func cost(_ longest: Int) throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let writer = try Writer(folder: folder, longestChain: longest)
        try writer.start(workers: 2)
        try writer.add(0..<2000)
        let whole = try writer.save()
        var wholes = [0, 0]
        for round in 0..<40 {
            // A hundredth of them, later more.
            try writer.add(round * 20..<(round * 20 + (round < 30 ? 20 : 400)))
            let bytes = try writer.save()
            let lengths = writer.chainLengths
            // All aggregations of a worker begin anew together.
            #expect(lengths.allSatisfy { $0.count == 1 })
            for worker in 0..<2 where lengths[worker] == [1] { wholes[worker] += 1 }
            if round < 30, !lengths.contains([1]) {
                // Half of it is what the parts of seven aggregations say in which nothing changed.
                #expect(bytes < whole / 15, "\(bytes) of \(whole)")
            }
            #expect(lengths.joined().max() ?? 0 <= longest)
            #expect(try writer.stateFiles.count <= 2 * 2 * longest)
        }
        #expect(wholes.allSatisfy { $0 >= 40 / longest && $0 <= 40 / longest + 10 })
        let rows = try writer.rows()
        #expect(rows.count == 2000)
        try writer.start(workers: 2)
        #expect(try writer.rows() == rows)
    }

    @Test("state goes on through restarts with other numbers of workers, and no file of an old run stays")
    func restarts() throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let writer = try Writer(folder: folder)
        var expected: [Int: Int] = [:]
        for (round, workers) in [2, 3, 1, 1, 4, 2].enumerated() {
            try writer.start(workers: workers)
            for part in 0..<4 {
                let countries = round * 30 + part * 10..<round * 30 + part * 10 + (part == 0 ? 200 : 15)
                for country in countries { expected[country, default: 0] += 1 }
                try writer.add(countries)
                _ = try writer.save()
                #expect(writer.chainLengths == Array(repeating: [part + 1], count: workers))
            }
            #expect(try writer.stateFiles.count == 4 * workers)
            let rows = Set(
                expected.map { country, count in
                    "0 \(["country \(country)", "\(count)", "\(country * count)", "\(country)", "1"])"
                })
            #expect(try writer.rows() == rows)
        }
    }
}
