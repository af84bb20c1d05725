import Diagnostics
import Foundation
import PlatformModel
import Testing

/// One mistake put into a shipped domain, and what must be said about it.
struct Mutation: CustomTestStringConvertible, Sendable {
    var domain: String
    var find: String
    var replacement: String
    var code: DiagnosticCode
    /// The line of the finding, counted from the line where `find` begins.
    var lineOffset: Int
    /// A part of the message or hint.
    var says: String

    init(_ domain: String, _ find: String, _ replacement: String, _ code: DiagnosticCode, line: Int = 0, _ says: String)
    {
        self.domain = domain
        self.find = find
        self.replacement = replacement
        self.code = code
        lineOffset = line
        self.says = says
    }

    var testDescription: String { "\(domain): \(replacement.isEmpty ? "without \(find)" : replacement)" }
}

@Suite("Mistakes in domains")
struct DomainMutationTests {
    @Test("a mistake is named, with its place", arguments: mutations)
    func caught(_ mutation: Mutation) throws {
        let text = try TestDomains.text(mutation.domain)
        let place = try #require(text.range(of: mutation.find), "the text to change is not there")
        let line = text[..<place.lowerBound].count { $0 == "\n" } + 1 + mutation.lineOffset
        let (domain, findings) = TestDomains.check(text.replacingCharacters(in: place, with: mutation.replacement))
        let match = findings.first { $0.code == mutation.code && $0.location?.line == line }
        let said = (match?.message ?? "") + " " + (match?.hint ?? "")
        #expect(
            match != nil && (mutation.says.isEmpty || said.contains(mutation.says)),
            "line \(line):\n\(TestDomains.describe(findings))")
        #expect(match?.path != nil || match == nil)
        // A renamed event type is unknown where its old name still stands; nothing else may follow from one mistake.
        #expect(
            Set(findings.filter { $0.severity == .error }.map(\.code)).count <= 2, "\(TestDomains.describe(findings))")
        #expect((domain == nil) == findings.contains { $0.severity == .error })
    }

    static let mutations: [Mutation] = [
        // Keys.
        .init("ecommerce", "entity:", "entty:", .unknownKey, "did you mean 'entity'?"),
        .init("ecommerce", "aggregations:", "agregations:", .unknownKey, "'aggregations'"),
        .init("ecommerce", "primary_key", "primary_kye", .unknownKey, "'primary_key'"),
        .init(
            "ecommerce", "attributes: [session_id, page_url", "atributes: [session_id, page_url", .unknownKey,
            "'attributes'"),
        .init(
            "ecommerce", "type: tumbling, duration: 1 minute", "type: tumbling, duratoin: 1 minute", .unknownKey,
            "'duration'"),
        .init("ecommerce", "group_by: [device_type]", "groupby: [device_type]", .unknownKey, "'group_by'"),
        .init("ecommerce", "peak_hours", "peek_hours", .unknownKey, "'peak_hours'"),
        .init("ecommerce", "severity: critical", "severty: critical", .unknownKey, "'severity'"),
        .init("ecommerce", "domain: ecommerce", "x-domain: ecommerce", .missingKey, line: 5, "'domain'"),
        .init("cdnow", "entity: { primary_key: customer_id }", "", .missingKey, line: -3, "entity"),
        .init(
            "ecommerce", "    window: { type: tumbling, duration: 1 minute }\n", "", .missingKey, line: -4, "'window'"),
        .init("iot", "synthetic:", "streams: [{ name: s, from: nothing }]\nsynthetic:", .unknownEventType, "'nothing'"),
        .init("iot", "synthetic:", "tables: []\nsynthetic:", .notSupportedYet, "'tables'"),
        .init("iot", "synthetic:", "tests: []\nsynthetic:", .notSupportedYet, "'tests'"),
        // Types of values.
        .init("ecommerce", "entity: { primary_key: user_id }", "entity: user_id", .wrongType, "expected a map"),
        .init("ecommerce", "group_by: [device_type]", "group_by: { device: type }", .wrongType, ""),
        .init("ecommerce", "entity_pool_size: 10000", "entity_pool_size: many", .wrongType, "an integer"),
        .init("ecommerce", "description: Real-time e-commerce analytics", "description: 12", .wrongType, "a string"),
        .init("iot", "nullable: true", "nullable: yes", .wrongType, "true or false"),
        // Names.
        .init("logistics", "aggregations:", "  - { name: claim }\naggregations:", .duplicateName, "claim"),
        .init("ecommerce", "- name: search", "- name: se-arch", .invalidName, "a name begins"),
        .init("ecommerce", "- name: active_users", "- name: events_per_minute", .duplicateName, "events_per_minute"),
        .init("ecommerce", "- name: traffic_spike", "- name: no_revenue", .duplicateName, "no_revenue"),
        .init("ecommerce", "[session_id, query]", "[session_id, session_id]", .duplicateName, "session_id"),
        .init("ecommerce", "[session_id, query]", "[timestamp, query]", .reservedName, "platform's own"),
        .init("ecommerce", "[session_id, query]", "[user_id, query]", .reservedName, "entity's key"),
        .init("ecommerce", "[session_id, query]", "[2nd, query]", .invalidName, "2nd"),
        .init("cdnow", "- { name: items, type: sum", "- { name: orders, type: sum", .duplicateName, "orders"),
        .init("logistics", "- name: scans_per_hour", "- name: scan", .duplicateName, "scan"),
        .init("logistics", "com.example.logistics", "com.example.", .invalidName, "namespace"),
        // Field types.
        .init(
            "ecommerce", "{ name: quantity, type: int }", "{ name: quantity, type: itn }", .unknownFieldType, "'int'"),
        .init(
            "ecommerce", "{ name: result_count, type: int }", "{ name: price, type: int }", .fieldDisagreement, "money"),
        .init("logistics", "decimal(10,3)", "decimal(50,3)", .invalidFieldType, "1 to 38"),
        .init("logistics", "decimal(10,3)", "decimal", .invalidFieldType, "decimal(10,2)"),
        .init("logistics", "array<string>", "array<string", .invalidFieldType, "not a type"),
        .init("logistics", "array<string>", "array<money>", .invalidFieldType, "money"),
        .init("logistics", "type: place }", "type: palce }", .unknownFieldType, "'place'"),
        .init("logistics", "weight: \"decimal(10,3)\"", "weight: \"array<weight>\"", .cyclicType, "contains itself"),
        .init("iot", "type: enum, symbols: [online, offline, maintenance]", "type: enum", .invalidFieldType, "symbols"),
        .init("iot", "symbols: [online, offline,", "symbols: [online, online,", .duplicateName, "online"),
        .init("iot", "type: boolean, default: false", "type: boolean, default: 3", .invalidDefault, "true or false"),
        .init("iot", "{ name: uptime_seconds, type: long }", "uptime_seconds", .missingKey, "needs a type"),
        .init("iot", "type: sequence, start: 1", "type: pattern, pattern: a", .invalidGenerator, "pattern"),
        .init("iot", "min: 0, max: 12", "min: 20, max: 12", .invalidGenerator, "above"),
        .init("fintech", "[5411, 5812", "[5411, food", .valueDoesNotFit, "32-bit"),
        .init(
            "fintech", "{ name: succeeded, type: boolean }", "{ name: succeeded, type: boolean, references: users.id }",
            .notSupportedYet, "references"),
        .init("fintech", "{ name: amount, type: money }", "amount", .moneySuggested, "money"),
        // Topics and keys.
        .init(
            "logistics", "- name: claim\n", "- name: claim\n    topic: logistics.scans\n", .topicConflict, line: 1,
            "one topic"),
        .init("logistics", "partitions: 6", "partitions: 0", .invalidValue, "1 to"),
        .init("logistics", "retention: 30 days", "retention: long", .invalidValue, "duration"),
        .init("logistics", "name: logistics.scans", "name: logistics/scans", .invalidName, "topic"),
        .init("logistics", "    key: parcel_id", "    key: parcel", .unknownField, "'parcel_id'"),
        .init("logistics", "    key: parcel_id", "    key: place", .invalidMessageKey, "record"),
        .init("logistics", "raw_events: true", "format: jsn", .invalidValue, "'json'"),
        .init("logistics", "raw_events: true", "event_time: { field: at }", .jsonMessagesOnly, "format: json"),
        .init("logistics", "raw_events: true", "event_id: number", .jsonMessagesOnly, "format: json"),
        .init(
            "logistics", "raw_events: true", "event_time: { field: at, format: \"%q\" }\n    format: json",
            .invalidEventTime, "unknown directive"),
        .init(
            "logistics", "raw_events: true", "event_time: { format: epoch_s }\n    format: json", .missingKey, "field"),
        .init("logistics", "raw_events: true", "event_id: a..b\n    format: json", .invalidEventTime, "dots"),
        .init("logistics", "raw_events: true", "event_time: now\n    format: json", .wrongType, "map"),
        .init(
            "logistics", "raw_events: true", "event_id: at\n    event_time: { field: at }\n    format: json",
            .payloadNameConflict, line: 1, "one place"),
        // Windows.
        .init("ecommerce", "duration: 1 minute", "duration: soon", .invalidValue, "not a duration"),
        .init("ecommerce", "duration: 1 minute", "duration: -1 minute", .invalidValue, "negative"),
        .init("ecommerce", "duration: 1 minute", "duration: 0s", .invalidValue, "zero"),
        .init("ecommerce", "slide: 1 minute", "slide: 10 minutes", .invalidWindow, "longer"),
        .init("ecommerce", "slide: 1 minute", "slide: 0 minutes", .invalidValue, "zero"),
        .init("ecommerce", "slide: 1 minute", "slide: 7 ms", .invalidWindow, "panes"),
        .init("ecommerce", "type: sliding", "type: unbounded", .notSupportedYet, "unbounded"),
        .init("ecommerce", "type: sliding", "type: slding", .invalidValue, "'sliding'"),
        .init(
            "ecommerce", "type: tumbling, duration: 1 minute", "type: tumbling, duration: 1 minute, slide: 10s",
            .invalidWindow, "slide"),
        .init("logistics", "origin: 4 days", "origin: monday", .invalidWindow, "origin"),
        .init("logistics", "origin: 4 days", "timezone: Europe/Berlin", .notSupportedYet, "timezone"),
        // Aggregations.
        .init(
            "ecommerce", "metrics.total_amount", "metrics.totl_amount", .unknownField,
            "did you mean 'total_amount'? (event type 'purchase')"),
        .init("ecommerce", "metrics.total_amount", "attributes.total_amount", .unknownField, "metric"),
        .init("ecommerce", "field: metrics.total_amount", "field: payment_method", .measureType, "string"),
        .init("ecommerce", "from: [product_view]", "from: [product_viw]", .unknownEventType, "'product_view'"),
        .init("ecommerce", "type: count_distinct\n    field: entity_id", "type: count_distinct", .missingKey, "field"),
        .init("ecommerce", "type: count_distinct", "type: percentile", .notSupportedYet, "percentile"),
        .init(
            "ecommerce", "type: count_distinct", "approximate: true\n    type: count_distinct", .notSupportedYet,
            "'approximate'"),
        .init("ecommerce", "type: count_distinct", "strict: exactly\n    type: count_distinct", .wrongType, "strict"),
        .init("ecommerce", "type: count_distinct", "type: count_distnct", .invalidValue, "'count_distinct'"),
        .init("ecommerce", "    group_by: [currency]", "    group_by: [curency]", .unknownField, "'currency'"),
        .init(
            "ecommerce", "    group_by: [currency]", "    group_by: [total_amount]", .invalidGroup, "total_amount_cents"
        ),
        .init(
            "logistics", "group_by: [fields.place.country, stage]", "group_by: [place]", .unknownField, "place.country"),
        .init("logistics", "group_by: [fields.place.country, stage]", "group_by: [tags]", .invalidGroup, "array"),
        .init(
            "ecommerce", "    group_by: [currency]", "    group_by: [currency]\n    sink: primry", .unknownSink,
            line: 1, "'primary'"),
        .init(
            "ecommerce", "    group_by: [currency]", "    group_by: [currency]\n    as: currency", .duplicateName,
            line: 1, "currency"),
        .init("ecommerce", "    group_by: [currency]", "    allowed_lateness: -1 minute", .invalidValue, "negative"),
        .init("ecommerce", "    group_by: [currency]", "    late: keep", .invalidValue, "drop, side_output"),
        .init("ecommerce", "    group_by: [currency]", "    emit: sometimes", .invalidValue, "updates, final"),
        .init(
            "cdnow", "watermark_delay: 600 days\n    measures: *measures",
            "type: count\n    watermark_delay: 600 days\n    measures: *measures", .measureForm, "measures"),
        .init(
            "ecommerce", "    type: count\n    window: { type: tumbling, duration: 1 minute }",
            "    window: { type: tumbling, duration: 1 minute }", .measureForm, line: -3, "type: count"),
        .init(
            "iot", "event_type = 'device_status'", "event_type = 'device_statu'", .unknownEventType, "'device_status'"),
        .init(
            "ecommerce", "    from: [purchase]\n    type: avg\n    field: total_amount",
            "    type: avg\n    field: total", .unknownField, line: 1, "total"),
        // Filters and conditions: the codes of expressions.
        .init("ecommerce", "total_amount > 0", "totl_amount > 0", .unknownReference, "total_amount"),
        .init("ecommerce", "total_amount > 0", "total_amount >", .invalidExpression, ""),
        .init("ecommerce", "total_amount > 0", "total_amount > 'much'", .expressionType, ""),
        .init("fintech", "operator: gte", "operator: bigger", .invalidFilter, "bigger"),
        .init("fintech", "field: status, operator", "field: stauts, operator", .unknownReference, "status"),
        // Alerts.
        .init(
            "ecommerce", "metric: revenue_per_hour.total", "metric: revenue_per_our.total", .unknownAggregation,
            "'revenue_per_hour'"),
        .init(
            "ecommerce", "metric: revenue_per_hour.total", "metric: revenue_per_hour.sum", .unknownAggregation, "total"),
        .init("ecommerce", "condition: value < 10", "condition: valeu < 10", .unknownReference, "value"),
        .init("ecommerce", "severity: info", "severity: fatal", .invalidValue, "info, warning, critical"),
        .init("ecommerce", "event_type: purchase", "event_type: purchse", .unknownEventType, "'purchase'"),
        .init("ecommerce", "for: 1 hour", "for: ever", .invalidValue, "duration"),
        // Synthetic data.
        .init(
            "ecommerce", "purchase_conversion_rate: 0.03", "purchase_conversion_rate: 0.5", .invalidProbability,
            "at most 1"),
        .init("ecommerce", "cart_abandonment_rate: 0.7", "cart_abandonment_rate: 70", .invalidProbability, "0.7"),
        .init("ecommerce", "peak_hours: [11, 12,", "peak_hours: [11, 25,", .invalidValue, "0 to 23"),
        .init("ecommerce", "share: 0.1", "share: 1.5", .invalidProbability, "0 to 1"),
        .init("ecommerce", "events_per_second: 200", "events_per_second: -3", .invalidValue, "above"),
        .init("ecommerce", "seed: 42", "duplicates: 0.1", .notSupportedYet, "duplicates"),
        .init("cdnow", "start: 1997-01-01", "start: 1997-02-30", .invalidValue, "not a time"),
        .init(
            "fintech", "to: transfer, probability: 0.2", "to: transfer, probability: 0.5", .invalidProbability,
            "more than 1"),
        .init("fintech", "to: transfer, probability", "to: tranfer, probability", .unknownEventType, "'transfer'"),
        .init("ecommerce", "  query: [running", "  qury: [running", .unknownField, "'query'"),
        .init("iot", "  site: [berlin", "  uptime_seconds: [long]\n  site: [berlin", .valueDoesNotFit, "integer"),
    ]

    @Test("many mistakes in one file are all reported in one run")
    func allAtOnce() throws {
        let chosen = Self.mutations.filter {
            $0.domain == "ecommerce"
                && [
                    "attributes: [session_id, page_url", "duration: 1 minute", "metrics.total_amount",
                    "total_amount > 0",
                    "from: [product_view]", "metric: revenue_per_hour.total", "severity: info", "seed: 42",
                    "  query: [running", "{ name: quantity, type: int }", "peak_hours: [11, 12,",
                ].contains($0.find)
        }
        var text = try TestDomains.text("ecommerce")
        var done: Set<String> = []
        var codes: [DiagnosticCode] = []
        for mutation in chosen where done.insert(mutation.find).inserted {
            let place = try #require(text.range(of: mutation.find))
            text.replaceSubrange(place, with: mutation.replacement)
            codes.append(mutation.code)
        }
        let found = TestDomains.check(text).findings
        #expect(codes.count == 11)
        for code in codes { #expect(found.contains { $0.code == code }, "\(code.id)\n\(TestDomains.describe(found))") }
        #expect(found.filter { $0.severity == .error }.count >= codes.count, "\(TestDomains.describe(found))")
    }
}
