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
    }

    /// One aggregation's, or the raw table's, share of an input.
    enum Consumer: Sendable {
        /// `input` is the position of the event type in the aggregation's inputs.
        case aggregation(index: Int, input: Int)
        case rawEvents
    }

    /// A column that no record holds: it is the same in all rows of an input.
    static let eventTypeColumn = "event_type"

    var domain: String
    var inputs: [Input]
    var aggregations: [Aggregation]
    /// Result tables, in the order of `aggregations`.
    var tables: [TableDefinition]

    init(domain: DomainDefinition) {
        self.domain = domain.name
        aggregations = domain.aggregations
        tables = domain.aggregations.map { Self.owned($0.table, by: domain.name) }
        inputs = domain.eventTypes.compactMap { Topology.input($0, aggregations: domain.aggregations) }
    }

    /// As it was applied: stores compare the owner.
    static func owned(_ table: TableDefinition, by domain: String) -> TableDefinition {
        var table = table
        table.owner = domain
        return table
    }

    private static func input(_ eventType: EventType, aggregations: [Aggregation]) -> Input? {
        var consumers: [Consumer] = []
        var needs = ColumnNeeds(eventType: eventType)
        needs.add("timestamp", .plain)
        for (index, aggregation) in aggregations.enumerated() {
            guard let position = aggregation.inputs.firstIndex(of: eventType.name) else { continue }
            consumers.append(.aggregation(index: index, input: position))
            for group in aggregation.spec.groups { needs.add(group.name, .dictionary) }
            for measure in aggregation.spec.measures {
                guard let column = measure.column else { continue }
                needs.add(column, measure.function == .countDistinct ? .hash : .plain)
            }
            let filters = [aggregation.filters[position]] + aggregation.measureFilters.map { $0[position] }
            for filter in filters { filter?.columns.forEach { needs.add($0, .plain) } }
        }
        if eventType.rawEvents {
            consumers.append(.rawEvents)
            for column in eventType.columns { needs.add(column.name, .plain) }
        }
        guard !consumers.isEmpty else { return nil }
        let schema = BatchSchema(needs.columns)
        return Input(
            eventType: eventType, schema: schema, timestampColumn: schema.index(of: "timestamp") ?? 0,
            consumers: consumers)
    }
}

/// Collects which columns of an event type are needed, and in which encoding.
private struct ColumnNeeds {
    private let eventType: EventType
    private var encodings: [String: Set<ColumnEncoding>] = [:]

    init(eventType: EventType) { self.eventType = eventType }

    mutating func add(_ column: String, _ encoding: ColumnEncoding) {
        encodings[column, default: []].insert(encoding)
    }

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
    /// The name under which a checkpoint keeps a consumer: an aggregation's own, or `raw:<event type>`.
    func sectionName(_ consumer: Consumer, of input: Input) -> String {
        switch consumer {
        case .aggregation(let index, _): aggregations[index].name
        case .rawEvents: "raw:\(input.eventType.name)"
        }
    }

    func fingerprint(_ consumer: Consumer) -> String {
        switch consumer {
        case .aggregation(let index, _): aggregations[index].fingerprint
        case .rawEvents: "raw"
        }
    }
}
