internal import AvroSchema
internal import DataPath
internal import Diagnostics
internal import Expressions
internal import PlatformModel
internal import PluginAPI

/// Who reads what: the fixed shape of a pipeline, derived from a domain before anything is opened.
struct Topology: Sendable {
    /// An event type that something reads, and the columns that are decoded of it: once, however many readers it has.
    struct Input: Sendable {
        var eventType: EventType
        var schema: BatchSchema
        var timestampColumn: Int
        var consumers: [Consumer]
        /// The streams that are made of it for its consumers, each after the one that it reads; positions in
        /// ``Topology/streams``.
        var streams: [Int]
    }

    /// One aggregation's, or a table's of single events, share of an input.
    enum Consumer: Sendable {
        /// `input` is the position of the event type in the aggregation's inputs.
        case aggregation(index: Int, input: Int)
        case rawEvents
        /// The table of a stream.
        case stream(Int)
    }

    /// A column that no record holds: it is the same in all rows of an input.
    static let eventTypeColumn = "event_type"

    var domain: String
    var inputs: [Input]
    var aggregations: [Aggregation]
    /// All of the domain.
    var streams: [DerivedStream]
    /// Result tables, in the order of `aggregations`.
    var tables: [TableDefinition]

    init(domain: DomainDefinition) {
        self.domain = domain.name
        aggregations = domain.aggregations
        streams = domain.streams
        tables = domain.aggregations.map { Self.owned($0.table, by: domain.name) }
        inputs = domain.eventTypes.compactMap { Topology.input($0, of: domain) }
    }

    /// As it was applied: stores compare the owner.
    static func owned(_ table: TableDefinition, by domain: String) -> TableDefinition {
        var table = table
        table.owner = domain
        return table
    }

    private static func input(_ eventType: EventType, of domain: DomainDefinition) -> Input? {
        var consumers: [Consumer] = []
        var needs = ColumnNeeds(eventType: eventType, streams: domain.streams)
        needs.add("timestamp", .plain)
        for (index, aggregation) in domain.aggregations.enumerated() {
            guard let position = aggregation.inputs.firstIndex(of: eventType.name) else { continue }
            consumers.append(.aggregation(index: index, input: position))
            let stream = aggregation.streams[position]
            if let stream { needs.read(stream) }
            for group in aggregation.spec.groups { needs.add(group.name, .dictionary, of: stream) }
            for measure in aggregation.spec.measures {
                guard let column = measure.column else { continue }
                needs.add(column, measure.countsHashes ? .hash : .plain, of: stream)
            }
            let filters = [aggregation.filters[position]] + aggregation.measureFilters.map { $0[position] }
            for filter in filters { filter?.columns.forEach { needs.add($0, .plain, of: stream) } }
        }
        for (index, stream) in domain.streams.enumerated()
        where stream.sink != nil && stream.eventType == eventType.name {
            consumers.append(.stream(index))
            needs.read(stream.name)
            for column in stream.columns { needs.add(column.spec.name, .plain, of: stream.name) }
        }
        if eventType.rawEvents {
            consumers.append(.rawEvents)
            for column in eventType.columns { needs.add(column.name, .plain) }
        }
        guard !consumers.isEmpty else { return nil }
        let schema = BatchSchema(needs.columns)
        return Input(
            eventType: eventType, schema: schema, timestampColumn: schema.index(of: "timestamp") ?? 0,
            consumers: consumers, streams: needs.streamsRead)
    }
}

/// Collects which columns of an event type are needed, and in which encoding.
private struct ColumnNeeds {
    private let eventType: EventType
    private let streams: [DerivedStream]
    private var encodings: [String: Set<ColumnEncoding>] = [:]
    private var read: Set<String> = []

    init(eventType: EventType, streams: [DerivedStream]) {
        self.eventType = eventType
        self.streams = streams
    }

    /// What the steps of a stream, and of those that it reads, need whoever reads it.
    mutating func read(_ name: String) {
        guard read.insert(name).inserted, let stream = streams.first(where: { $0.name == name }) else { return }
        var wanted: Set<String> = []
        for step in stream.steps.reversed() {
            wanted.subtract(step.operation.added.map(\.name))
            wanted.formUnion(step.operation.reads)
        }
        if let parent = stream.parent { read(parent) }
        for column in wanted { add(column, .plain, of: stream.parent) }
    }

    /// - Parameter stream: Whose column it is: one that its steps have made is not decoded.
    mutating func add(_ column: String, _ encoding: ColumnEncoding, of stream: String? = nil) {
        var stream = streams.first { $0.name == stream }
        while let current = stream {
            if current.steps.contains(where: { $0.operation.added.contains { $0.name == column } }) { return }
            stream = streams.first { $0.name == current.parent }
        }
        encodings[column, default: []].insert(encoding)
    }

    var streamsRead: [Int] { streams.indices.filter { read.contains(streams[$0].name) } }

    /// In the record's order, then the name of the event type if it is grouped by. Grouping decides for a dictionary, because grouped columns have few values; a column whose
    /// values are read must not be reduced to hashes.
    var columns: [ColumnSpec] {
        storedColumns
            + (encodings[Topology.eventTypeColumn] == nil
                ? [] : [ColumnSpec(Topology.eventTypeColumn, .string, encoding: .dictionary)])
    }

    private var storedColumns: [ColumnSpec] {
        eventType.columns.compactMap { column in
            guard let wanted = encodings[column.name] else { return nil }
            var spec = column
            guard column.type.physical == .bytes else { return spec }
            if eventType.rawEvents {
                spec.encoding = .plain
            } else if wanted.contains(.dictionary) {
                spec.encoding = .dictionary
            } else {
                spec.encoding = wanted.contains(.plain) ? .plain : .hash
            }
            return spec
        }
    }
}

extension Topology {
    /// The name under which a checkpoint keeps a consumer: an aggregation's own, `raw:<event type>` or
    /// `stream:<stream>`.
    func sectionName(_ consumer: Consumer, of input: Input) -> String {
        switch consumer {
        case .aggregation(let index, _): aggregations[index].name
        case .rawEvents: "raw:\(input.eventType.name)"
        case .stream(let index): Self.sectionName(ofStream: streams[index].name)
        }
    }

    static func sectionName(ofStream name: String) -> String { "stream:\(name)" }

    func fingerprint(_ consumer: Consumer) -> String {
        switch consumer {
        case .aggregation(let index, _): aggregations[index].fingerprint
        case .rawEvents: "raw"
        case .stream(let index): streams[index].table?.fingerprint ?? streams[index].fingerprint
        }
    }
}
