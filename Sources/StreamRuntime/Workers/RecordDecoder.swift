internal import AvroSchema
internal import DataPath
internal import Diagnostics
internal import PlatformModel
internal import PluginAPI
internal import RecordConversion

/// Turns the records of one input's partitions into batches: JSON by the event type's own names, Avro with one decode plan
/// for each writer schema that turns up. Threads: one.
final class RecordDecoder {
    private let input: Topology.Input
    private let schemas: any SchemaRegistry
    private let hashKey: HashKey
    /// Reused from call to call; its dictionary columns share the worker's one dictionary, so that a value has one code
    /// in every batch of the worker.
    let batch: RecordBatch
    /// The columns of `batch` that records hold: all but the name of the event type, which is the same in every row.
    private let decoded: RecordBatch
    private let eventTypeCodes: FixedVector<UInt32>?
    private let dictionary: StringDictionary
    /// Of an input whose messages are JSON.
    private let json: JSONMessageReader?
    private var decoders: [Int32: AvroDecoder] = [:]
    /// For bare datums, by the text of their schema.
    private var bareDecoders: [String: AvroDecoder] = [:]
    private let retrying: Retrying
    private var failures: [Int32: String] = [:]
    /// Ids that the registry did not know, and when it was asked, on the workers' clock.
    private var unknown: [Int32: Int64] = [:]
    private static let unknownLimit = 1024
    private static let unknownMilliseconds: Int64 = 2000
    /// Schemas that are known and can never be read as this input.
    private var unreadable: Set<Int32> = []

    /// A record that could not be decoded.
    struct Fault {
        var entry: Int
        var code: DiagnosticCode
        var reason: String
        var field: String?
    }

    init(
        input: Topology.Input, schemas: any SchemaRegistry, retrying: Retrying, hashKey: HashKey,
        dictionary: StringDictionary,
        capacity: Int
    ) throws {
        self.input = input
        self.schemas = schemas
        self.retrying = retrying
        self.hashKey = hashKey
        self.dictionary = dictionary
        let columns = input.schema.columns.map { spec in
            if case .dictionary(let codes, _) = ColumnVector.make(for: spec, capacity: capacity) {
                return ColumnVector.dictionary(codes, dictionary)
            }
            return .make(for: spec, capacity: capacity)
        }
        batch = RecordBatch(schema: input.schema, columns: columns, rowCount: 0)
        let stored = input.schema.columns.indices.filter { input.schema.columns[$0].name != Topology.eventTypeColumn }
        decoded = RecordBatch(
            schema: BatchSchema(stored.map { input.schema.columns[$0] }), columns: stored.map { columns[$0] },
            rowCount: 0)
        if let index = input.schema.index(of: Topology.eventTypeColumn), case .dictionary(let codes, _) = columns[index]
        {
            eventTypeCodes = codes
        } else {
            eventTypeCodes = nil
        }
        json =
            input.eventType.format == .json
            ? try JSONMessageReader(
                eventType: input.eventType, columns: decoded.schema.columns, hashKey: hashKey) : nil
    }

    /// Replaces the batch by the records `entries` of the partition's block, all in their order but those in `faults`.
    ///
    /// - Parameter bareSchema: See ``PartitionReader/writerSchema``.
    func decode(
        _ block: RecordBlock, entries: Range<Int>, of partition: TopicPartition, bareSchema: String? = nil,
        faults: inout [Fault]
    ) throws {
        batch.removeAll()
        decoded.removeAll()
        if let json {
            try json.read(block, entries: entries, of: partition, into: decoded) {
                faults.append(Fault(entry: $0.entry, code: $0.code, reason: $0.reason, field: $0.field))
            }
        } else if let bareSchema {
            decode(block, entries, try bareDecoder(for: bareSchema, of: partition), prefixBytes: 0, &faults)
        } else {
            try decodeAvro(block, entries: entries, faults: &faults)
        }
        batch.rowCount = decoded.rowCount
        if let eventTypeCodes { fill(eventTypeCodes, rows: decoded.rowCount) }
    }

    private func decodeAvro(_ block: RecordBlock, entries: Range<Int>, faults: inout [Fault]) throws {
        var start = entries.lowerBound
        while start < entries.upperBound {
            let id = schemaID(block, start)
            var end = start + 1
            while end < entries.upperBound, schemaID(block, end) == id { end += 1 }
            try decode(block, start..<end, id, &faults)
            start = end
        }
    }

    /// Gives every row the name of the event type.
    private func fill(_ codes: FixedVector<UInt32>, rows: Int) {
        let code = Array(input.eventType.name.utf8).withUnsafeBytes { dictionary.code(for: $0) }
        codes.reserve(rows)
        for row in 0..<rows {
            codes.values[row] = code
            codes.nulls[row] = false
        }
        codes.count = rows
    }

    private func decode(_ block: RecordBlock, _ entries: Range<Int>, _ id: Int32?, _ faults: inout [Fault]) throws {
        guard let id else {
            faults += entries.map {
                Fault(entry: $0, code: .undecodable, reason: "the value does not begin with the wire format's header")
            }
            return
        }
        guard let decoder = try decoder(for: id) else {
            let reason = failures[id] ?? "schema id \(id) is not known"
            faults += entries.map { Fault(entry: $0, code: .unknownSchema, reason: reason) }
            return
        }
        decode(block, entries, decoder, prefixBytes: WireFormat.headerLength, &faults)
    }

    private func decode(
        _ block: RecordBlock, _ entries: Range<Int>, _ decoder: AvroDecoder, prefixBytes: Int, _ faults: inout [Fault]
    ) {
        decoder.decode(block, entries: entries, prefixBytes: prefixBytes, into: decoded) { entry, error in
            faults.append(Fault(entry: entry, code: .undecodable, reason: error.description, field: error.field))
        }
    }

    private func schemaID(_ block: RecordBlock, _ index: Int) -> Int32? {
        block.value(block.entries[index]).flatMap(WireFormat.schemaID(of:))
    }

    private func decoder(for id: Int32) throws -> AvroDecoder? {
        if let known = decoders[id] { return known }
        if unreadable.contains(id) { return nil }
        // A schema that is not there now may be registered later: that is remembered for a moment only, so that a topic
        // full of foreign bytes does not ask for each of its records.
        let now = retrying.host.clock.milliseconds
        if let asked = unknown[id], now - asked < Self.unknownMilliseconds { return nil }
        guard let text = try retrying({ try schemas.schema(id: id) }) else {
            if unknown.count >= Self.unknownLimit { unknown.removeAll() }
            unknown[id] = now
            return nil
        }
        unknown[id] = nil
        do {
            let decoder = try decoder(schema: text)
            decoders[id] = decoder
            return decoder
        } catch {
            unreadable.insert(id)
            failures[id] = "schema \(id) cannot be read as event type '\(input.eventType.name)': \(error)"
            return nil
        }
    }

    private func decoder(schema text: String) throws -> AvroDecoder {
        let plan = try DecodePlan.compile(
            writer: try AvroSchema.parse(json: text), columns: decoded.schema.columns,
            reader: .record(input.eventType.schema))
        return AvroDecoder(plan: plan, key: hashKey)
    }

    /// A file whose schema cannot be read as the event type ends the run: not one of its records could be.
    private func bareDecoder(for schema: String, of partition: TopicPartition) throws -> AvroDecoder {
        if let known = bareDecoders[schema] { return known }
        do {
            let decoder = try decoder(schema: schema)
            bareDecoders[schema] = decoder
            return decoder
        } catch {
            throw PipelineError(
                .undecodable, "its schema cannot be read as event type '\(input.eventType.name)': \(error)",
                hint: "is it a file of this event type? `streamplat ingest --map` takes fields of other names",
                component: partition.topic)
        }
    }
}
