internal import AvroSchema
internal import DataPath
internal import Diagnostics
internal import PlatformModel
internal import PluginAPI

/// Turns the records of one input's partitions into batches: one decode plan for each writer schema that turns up.
/// Threads: one.
final class RecordDecoder {
    private let input: Topology.Input
    private let broker: any Broker
    private let hashKey: HashKey
    /// Reused from call to call; its dictionary columns share the worker's one dictionary, so that a value has one code
    /// in every batch of the worker.
    let batch: RecordBatch
    private var decoders: [Int32: AvroDecoder] = [:]
    private var failures: [Int32: String] = [:]

    /// A record that could not be decoded.
    struct Fault {
        var entry: Int
        var code: DiagnosticCode
        var reason: String
    }

    init(input: Topology.Input, broker: any Broker, hashKey: HashKey, dictionary: StringDictionary, capacity: Int) {
        self.input = input
        self.broker = broker
        self.hashKey = hashKey
        batch = RecordBatch(
            schema: input.schema,
            columns: input.schema.columns.map { spec in
                if case .dictionary(let codes, _) = ColumnVector.make(for: spec, capacity: capacity) {
                    return .dictionary(codes, dictionary)
                }
                return .make(for: spec, capacity: capacity)
            }, rowCount: 0)
    }

    /// Replaces the batch by the records `entries` of the block, all in their order but those in `faults`.
    func decode(_ block: RecordBlock, entries: Range<Int>, faults: inout [Fault]) throws {
        batch.removeAll()
        var start = entries.lowerBound
        while start < entries.upperBound {
            let id = schemaID(block, start)
            var end = start + 1
            while end < entries.upperBound, schemaID(block, end) == id { end += 1 }
            try decode(block, start..<end, id, &faults)
            start = end
        }
    }

    private func decode(_ block: RecordBlock, _ entries: Range<Int>, _ id: Int32?, _ faults: inout [Fault]) throws {
        guard let id else {
            faults += entries.map { Fault(entry: $0, code: .undecodable, reason: "the value does not begin with the wire format's header") }
            return
        }
        guard let decoder = try decoder(for: id) else {
            let reason = failures[id] ?? "schema \(id) cannot be read"
            faults += entries.map { Fault(entry: $0, code: .unknownSchema, reason: reason) }
            return
        }
        decoder.decode(block, entries: entries, prefixBytes: WireFormat.headerLength, into: batch) { entry, error in
            faults.append(Fault(entry: entry, code: .undecodable, reason: error.description))
        }
    }

    private func schemaID(_ block: RecordBlock, _ index: Int) -> Int32? {
        block.value(block.entries[index]).flatMap(WireFormat.schemaID(of:))
    }

    private func decoder(for id: Int32) throws -> AvroDecoder? {
        if let known = decoders[id] { return known }
        // A schema that is not there now may be registered later: only what can never change is remembered.
        guard let text = try broker.schema(id: id) else {
            failures[id] = "schema id \(id) is not known"
            return nil
        }
        do {
            let writer = try AvroSchema.parse(json: text)
            let plan = try DecodePlan.compile(
                writer: writer, columns: input.schema.columns, reader: .record(input.eventType.schema))
            let decoder = AvroDecoder(plan: plan, key: hashKey)
            decoders[id] = decoder
            return decoder
        } catch {
            failures[id] = "schema \(id) cannot be read as event type '\(input.eventType.name)': \(error)"
            return nil
        }
    }
}
