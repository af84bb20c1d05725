import AvroSchema
import DataPath
import Diagnostics
import Generation
import PlatformModel

let place = SourceLocation(file: "test.yaml", line: 1, column: 1)
/// 2024-05-06 00:00 UTC, a Monday.
let monday: Int64 = 1_714_953_600_000
let hour: Int64 = 3_600_000

func field(
    _ name: String, _ type: FieldType = .string, role: Field.Role = .field, nullable: Bool = false,
    values: [WeightedValue] = [], generator: GeneratorSpec? = nil
) -> Field {
    Field(
        name: name, location: place, type: type, role: role, isNullable: nullable, values: values, generator: generator)
}

func eventType(_ name: String, key: String = "user_id", _ fields: [Field] = []) -> EventType {
    func leaves(_ fields: [Field], _ prefix: String, _ isNullable: Bool) -> [ColumnSpec] {
        fields.flatMap { field -> [ColumnSpec] in
            let path = prefix + field.storedName
            if case .record(let children) = field.type {
                return leaves(children, path + ".", isNullable || field.isNullable)
            }
            return field.type.logicalType.map {
                [ColumnSpec(path, $0, isNullable: isNullable || field.isNullable)]
            } ?? []
        }
    }
    let columns = [ColumnSpec("event_id", .string), ColumnSpec("timestamp", .timestamp), ColumnSpec(key, .string)]
    return EventType(
        name: name, location: place, fields: fields, primaryKey: key,
        topic: TopicDefinition(name: "events.\(name)", partitions: 1), schema: AvroRecord(name: name, fields: []),
        columns: columns + leaves(fields, "", false))
}

func shop(_ change: (inout SyntheticSettings) -> Void = { _ in }) -> DomainDefinition {
    var settings = SyntheticSettings()
    change(&settings)
    let product = field("product_id", role: .attribute, nullable: true)
    let price = field("price", .double, role: .metric, nullable: true)
    let device = field("device_type", role: .dimension)
    return DomainDefinition(
        name: "shop", location: place, primaryKey: "user_id",
        eventTypes: [
            eventType("page_view", [field("page_url", role: .attribute, nullable: true), device]),
            eventType("product_view", [product, price, device]),
            eventType("add_to_cart", [product, price, field("quantity", .int, role: .metric, nullable: true), device]),
            eventType("remove_from_cart", [product, device]),
            eventType(
                "purchase",
                [
                    field("order_id", role: .attribute, nullable: true), product, price,
                    field("quantity", .int, role: .metric, nullable: true),
                    field("total_amount", .money(scale: 2), role: .metric, nullable: true),
                    field("payment_method", role: .attribute, nullable: true),
                    field("coupon", role: .attribute, nullable: true), field("currency", role: .dimension), device,
                ]),
            eventType("search", [field("query", role: .attribute, nullable: true), device]),
        ],
        synthetic: settings, sampleData: ["payment_method": ["card", "cash"]])
}

/// An event as text, for comparing streams.
struct Row: Hashable {
    var type: Int
    var sequence: Int64
    /// By column name; nil = null.
    var values: [String: String?]

    var time: Int64 { Int64((values["timestamp"] ?? nil) ?? "") ?? -1 }
    subscript(name: String) -> String? { values[name] ?? nil }
}

func generate(_ domain: DomainDefinition, _ options: GenerationOptions, maxRows: Int = 1000) throws -> [Row] {
    let generator = try EventGenerator(domain: domain, options: options)
    var rows: [Row] = []
    // Batches are valid until the next call but one: they are read as late as they may be.
    var last: [GeneratedBatch] = []
    while let batches = generator.next(maxRows: maxRows) {
        for batch in last { rows += texts(batch) }
        last = batches
    }
    for batch in last { rows += texts(batch) }
    return rows.sorted { $0.sequence < $1.sequence }
}

private func texts(_ generated: GeneratedBatch) -> [Row] {
    let batch = generated.batch
    return (0..<batch.rowCount).map { row in
        var values: [String: String?] = [:]
        for (spec, column) in zip(batch.schema.columns, batch.columns) {
            let text: String? =
                switch column {
                case .boolean(let vector): vector.nulls[row] ? nil : "\(vector.values[row])"
                case .int64(let vector): vector.nulls[row] ? nil : "\(vector.values[row])"
                case .int128(let vector): vector.nulls[row] ? nil : "\(vector.values[row])"
                case .double(let vector): vector.nulls[row] ? nil : "\(vector.values[row])"
                case .bytes(let vector): vector.nulls[row] ? nil : vector.string(row)
                case .dictionary, .hash: nil
                }
            values.updateValue(text, forKey: spec.name)
        }
        return Row(type: generated.eventType, sequence: generated.sequenceNumbers[row], values: values)
    }
}

func options(
    _ events: Int?, types: [String]? = nil, seed: UInt64? = nil, start: Int64 = monday, span: Int64 = 24 * hour
) -> GenerationOptions {
    GenerationOptions(
        events: events, eventTypes: types, seed: seed, startMilliseconds: start, spanMilliseconds: span,
        nowMilliseconds: start + span)
}

/// Event times only, without making texts of the rows.
func times(_ domain: DomainDefinition, _ options: GenerationOptions) throws -> [Int64] {
    let generator = try EventGenerator(domain: domain, options: options)
    var times: [Int64] = []
    while let batches = generator.next(maxRows: 4096) {
        times += [Int64](repeating: 0, count: batches.reduce(0) { $0 + $1.batch.rowCount })
        for batch in batches {
            guard case .int64(let vector) = batch.batch.columns[1] else { continue }
            for row in 0..<batch.batch.rowCount { times[Int(batch.sequenceNumbers[row])] = vector.values[row] }
        }
    }
    return times
}
