import DataPath
import Diagnostics
import PluginAPI

/// What the three kinds of sinks have in common: rows wait until a flush, which may fail for a while, before or after the
/// store has taken them.
class SimulatedSink: Sink {
    let name: String
    let process: SimulatedProcess
    var claim: WriterClaim?
    /// Since the last flush that returned.
    var waiting: [(row: ResultRow, table: TableDefinition)] = []
    private var isOpen = true
    var world: World { process.world }

    init(_ name: String, _ process: SimulatedProcess) {
        self.name = name
        self.process = process
        process.openSinks += 1
    }

    func plan(_ table: TableDefinition) throws -> TableChange { .none }
    func apply(_ table: TableDefinition) throws {}
    func query(_ sql: String) throws -> QueryResult? { nil }
    func tables() throws -> [(name: String, rows: Int64)]? { nil }
    func health() throws -> ComponentHealth { ComponentHealth(version: "simulated") }
    func close() throws { letGo() }
    func abandon() throws { letGo() }

    private func letGo() {
        if !isOpen { world.fail("sink \(name) was let go twice") }
        isOpen = false
        process.openSinks -= 1
    }

    func write(_ rows: RecordBatch, to table: TableDefinition) throws {
        try process.call("write rows", rows.rowCount)
        try stumble()
        take(ResultRow.rows(rows, table), of: table)
    }

    func take(_ rows: [ResultRow], of table: TableDefinition) { waiting += rows.map { ($0, table) } }

    func flush() throws { try deliver(nil) }

    func commit(_ mark: CheckpointMark) throws -> [String: [UInt8]] {
        try deliver(mark)
        process.committed[name] = mark.number
        return states
    }

    func restore(_ states: [String: [UInt8]]) throws -> [String: [UInt8]] {
        try process.call("restore")
        return self.states
    }

    func claim(_ claim: WriterClaim) throws -> WriterStanding {
        try process.call("claim", Int(claim.epoch))
        try stumble()
        self.claim = claim
        return WriterStanding(epoch: claim.epoch)
    }

    var states: [String: [UInt8]] { [:] }

    /// Puts what waits into the store.
    func store(_ mark: CheckpointMark?) throws {}

    private func deliver(_ mark: CheckpointMark?) throws {
        try process.call(mark == nil ? "flush" : "commit", waiting.count)
        try stumble()
        try store(mark)
        try process.call("stored", waiting.count)
        // The store has taken everything, and its answer is lost.
        do {
            try stumble()
        } catch {
            process.incident("answer lost")
            throw error
        }
        waiting = []
    }

    private func stumble() throws {
        guard world.chance.happens(process.failurePercent) else { return }
        process.incident("sink away")
        throw PipelineError(.sinkFailed, "the store is away", retry: .backoff)
    }

    func replaced(by epoch: UInt64) -> any Error {
        process.incident("replaced", Int(epoch))
        return claim?.replaced(own: process.epoch, by: epoch, component: name) ?? Crash()
    }
}

final class TransactionalSink: SimulatedSink {
    override func claim(_ claim: WriterClaim) throws -> WriterStanding {
        _ = try super.claim(claim)
        let store = world.store
        store.epoch = max(store.epoch + (store.writer == claim.writer ? 0 : 1), claim.epoch)
        store.writer = claim.writer
        process.epoch = store.epoch
        self.claim?.epoch = store.epoch
        return WriterStanding(epoch: store.epoch, committed: store.checkpoint)
    }

    override func store(_ mark: CheckpointMark?) throws {
        guard world.store.epoch == process.epoch else { throw replaced(by: world.store.epoch) }
        for (row, table) in waiting { world.store.put(row, in: table) }
        if let mark { world.store.checkpoint = mark.number }
    }
}

final class VersionedSink: SimulatedSink {
    private var lastNumber = 0
    private var versions: [Int] = []

    override func claim(_ claim: WriterClaim) throws -> WriterStanding {
        _ = try super.claim(claim)
        let store = world.versions
        store.epoch = max(store.epoch + (store.writer == claim.writer ? 0 : 1), claim.epoch)
        store.writer = claim.writer
        process.epoch = max(process.epoch, store.epoch)
        self.claim?.epoch = store.epoch
        return WriterStanding(epoch: store.epoch)
    }

    override func take(_ rows: [ResultRow], of table: TableDefinition) {
        if waiting.isEmpty { versions = [] }
        super.take(rows, of: table)
        for _ in rows {
            lastNumber += 1
            versions.append(lastNumber)
        }
    }

    override func store(_ mark: CheckpointMark?) throws {
        // A look before the rows; a run that is replaced between the two writes rows that lose.
        if world.versions.epoch != process.epoch, world.chance.happens(50) {
            throw replaced(by: world.versions.epoch)
        }
        let version = process.epoch
        for (index, (row, table)) in waiting.enumerated() {
            if index % 7 == 6 { try process.call("part stored", index) }
            world.versions.put(row, .init(epoch: version, number: versions[index]), in: table.name)
        }
    }
}

final class AppendSink: SimulatedSink {
    override var states: [String: [UInt8]] {
        world.archive.tables.mapValues { rows in
            withUnsafeBytes(of: UInt64(rows.count).littleEndian) { Array($0) }
        }
    }

    override func restore(_ states: [String: [UInt8]]) throws -> [String: [UInt8]] {
        try process.call("restore")
        for table in world.archive.tables.keys.sorted() {
            let length = states[table]?.reversed().reduce(0) { $0 << 8 | Int($1) } ?? 0
            let rows = world.archive.tables[table] ?? []
            if length > rows.count { world.fail("\(table) has \(rows.count) rows, its checkpoint counts \(length)") }
            world.archive.tables[table] = Array(rows.prefix(length))
        }
        return self.states
    }

    /// A file knows what of a flush it has taken when it is asked again.
    override func store(_ mark: CheckpointMark?) throws {
        for (row, table) in waiting {
            if !world.expected.isFinal(row, of: table.name) { world.fail("\(table.name) got the wrong row \(row)") }
            world.archive.tables[table.name, default: []].append(row)
        }
        waiting = []
    }
}
