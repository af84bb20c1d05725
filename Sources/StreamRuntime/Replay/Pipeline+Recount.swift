internal import Diagnostics
internal import PlatformModel
internal import PluginAPI

/// How aggregations are counted anew: every checkpoint from the moment on that this is wanted leaves them out, so that
/// whoever goes on from it begins them at the earliest offset, and says so in a section of its own for each.
extension Pipeline {
    /// No aggregation or event type has a name with a colon.
    fileprivate static let markPrefix = "recount:"
    private static let clearing = "clear"

    /// Leaves aggregations out of a checkpoint.
    func leaveOut(_ recounted: [Int: RecountRequests.Reason], of checkpoint: inout Checkpoint) {
        for (index, reason) in recounted.sorted(by: { $0.key < $1.key }) {
            let aggregation = topology.aggregations[index]
            checkpoint.sections.removeAll { $0.name == aggregation.name }
            // What a sink keeps of the table, such as a file's length, is of the rows that are there.
            checkpoint.stores.removeAll { $0.table == topology.tables[index].name }
            // Where some rows may not come again, and in sinks that only add, the rows that are there have to go.
            let clears = reason == .clock || parts.sinkNatures[aggregation.sink] == .append
            checkpoint.sections.append(
                Checkpoint.Section(
                    name: Self.markPrefix + aggregation.name, fingerprint: clears ? Self.clearing : "", positions: [],
                    shards: []))
        }
    }

    /// Makes the tables ready for what a checkpoint leaves out; true when stores have forgotten their newest checkpoint with
    /// that. Done again after a crash it changes nothing more.
    func beginRecounts(_ checkpoint: Checkpoint?, _ retrying: Retrying) throws -> Bool {
        var hasForgotten = false
        for section in checkpoint?.sections ?? [] where section.name.hasPrefix(Self.markPrefix) {
            let name = section.name.dropFirst(Self.markPrefix.count)
            guard let index = topology.aggregations.firstIndex(where: { $0.name == name }) else { continue }
            parts.notify(
                "aggregation '\(name)' is counted anew from the earliest offset: replayed records belong to windows that "
                    + "it has closed")
            guard section.fingerprint == Self.clearing else { continue }
            let place = topology.aggregations[index].sink
            let sink = try parts.openSink(place)
            do {
                try retrying(until: { self.ending.hasBegun }) { try sink.clear(topology.tables[index]) }
            } catch {
                sink.letGo(place, logger)
                throw error
            }
            try sink.close()
            hasForgotten = true
        }
        return hasForgotten
    }
}

extension Checkpoint {
    /// Whether it leaves aggregations out that are to be counted anew.
    var asksForRecounts: Bool { sections.contains { $0.name.hasPrefix(Pipeline.markPrefix) } }
}
