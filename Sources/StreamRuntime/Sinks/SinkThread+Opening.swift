internal import PluginAPI

/// What is done with the sinks before the thread starts.
extension SinkThread {
    /// Opens the sinks.
    func open(_ open: (String) throws -> any Sink) throws {
        for name in Set(targets.map(\.sink)).sorted() { sinks[name] = try open(name) }
    }

    /// Makes this run the only writer in every sink and gives its epoch, with the newest checkpoint that each store holds
    /// where it says so. A store that several sinks share, or that another run claims meanwhile, is asked until all agree.
    ///
    /// - Parameter retrying: Does again what may pass.
    func claim(_ claim: WriterClaim, retrying: (() throws -> WriterStanding) throws -> WriterStanding) throws
        -> (epoch: UInt64, committed: [String: CheckpointNumber])
    {
        var claim = claim
        var committed: [String: CheckpointNumber] = [:]
        while true {
            let asked = claim.epoch
            for (name, sink) in sinks.sorted(by: { $0.key < $1.key }) {
                claim.tables = tables(of: name)
                let standing = try retrying { try sink.claim(claim) }
                claim.epoch = max(claim.epoch, standing.epoch)
                committed[name] = standing.committed
            }
            if claim.epoch == asked { return (claim.epoch, committed) }
        }
    }

    /// Takes every sink back to a checkpoint; gives what they want to get back from now on. `number` is the first one's
    /// before the barriers of this run.
    func restore(_ stores: [Checkpoint.Store], after number: CheckpointNumber) throws -> [Checkpoint.Store] {
        lastCheckpoint = number
        var present: [Checkpoint.Store] = []
        for (name, sink) in sinks.sorted(by: { $0.key < $1.key }) {
            let own = stores.filter { $0.sink == name }
            let states = try sink.restore(Dictionary(own.map { ($0.table, $0.state) }, uniquingKeysWith: { $1 }))
            present += Self.stores(of: name, states)
        }
        return present
    }

    static func stores(of sink: String, _ states: [String: [UInt8]]) -> [Checkpoint.Store] {
        states.sorted { $0.key < $1.key }.map { Checkpoint.Store(sink: sink, table: $0.key, state: $0.value) }
    }

    func tables(of sink: String) -> [TableDefinition] { targets.filter { $0.sink == sink }.map(\.table) }
}
