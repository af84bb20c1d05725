import ConfigTree
import Diagnostics

extension DomainReader {
    mutating func readSynthetic(_ node: ConfigNode?) -> SyntheticSettings {
        var settings = SyntheticSettings()
        guard let node, var reader = MappingReader(node, path: "synthetic", into: &diagnostics) else { return settings }
        if let seed = reader.integer("seed", in: 0...Int.max, into: &diagnostics) { settings.seed = UInt64(seed) }
        if let start = reader.text("start", into: &diagnostics) {
            settings.startMilliseconds = InstantText.milliseconds(start)
            if settings.startMilliseconds == nil {
                error(
                    .invalidValue, "'start' is not a time: '\(start)'", at: reader.mapping["start"]?.location,
                    path: "synthetic.start", hint: "write 2024-01-01, or 2024-01-01T00:00:00Z")
            }
        }
        settings.spanMilliseconds = reader.duration("span", positive: true, into: &diagnostics)
        settings.eventsPerSecond = reader.number("events_per_second", above: 0, into: &diagnostics)
        let poolRange = 1...1_000_000_000
        let alias = reader.integer("user_pool_size", in: poolRange, into: &diagnostics)
        let pool = reader.integer("entity_pool_size", in: poolRange, into: &diagnostics)
        if alias != nil, pool != nil {
            error(
                .conflictingKeys, "'user_pool_size' is another name of 'entity_pool_size'; keep one",
                at: reader.mapping.entry("user_pool_size")?.keyLocation, path: "synthetic.user_pool_size")
        }
        settings.entityPoolSize = pool ?? alias ?? settings.entityPoolSize
        for key in [
            "late", "duplicates", "corrupt", "anomalies", "late_rate", "duplicate_rate", "corrupt_rate", "anomaly_rate",
        ] {
            reader.refuse(key, "'\(key)' is", hint: "only out_of_order is", into: &diagnostics)
        }
        if let node = reader.node("patterns") { readPatterns(node, &settings) }
        if let node = reader.node("out_of_order"),
            var inner = MappingReader(node, path: "synthetic.out_of_order", into: &diagnostics)
        {
            settings.outOfOrderShare = inner.share("share", into: &diagnostics) ?? 0
            settings.outOfOrderMilliseconds = inner.duration("up_to", positive: false, into: &diagnostics) ?? 0
            inner.finish(into: &diagnostics)
        }
        readTransitions(&reader, &settings)
        reader.finish(into: &diagnostics)
        return settings
    }

    private mutating func readPatterns(_ node: ConfigNode, _ settings: inout SyntheticSettings) {
        let path = "synthetic.patterns"
        guard var reader = MappingReader(node, path: path, into: &diagnostics) else { return }
        settings.sessionMinutes =
            reader.number("session_duration_avg_minutes", above: 0, into: &diagnostics) ?? settings.sessionMinutes
        settings.cartAbandonmentRate =
            reader.share("cart_abandonment_rate", into: &diagnostics) ?? settings.cartAbandonmentRate
        settings.purchaseConversionRate =
            reader.share("purchase_conversion_rate", into: &diagnostics) ?? settings.purchaseConversionRate
        settings.weekendMultiplier =
            reader.number("weekend_multiplier", above: 0, into: &diagnostics) ?? settings.weekendMultiplier
        for item in reader.sequence("peak_hours", into: &diagnostics) ?? [] {
            if case .integer(let hour)? = item.scalar?.coreType, (0...23).contains(hour) {
                settings.peakHours.append(hour)
            } else {
                error(
                    .invalidValue, "'\(item.scalar?.text ?? item.kindDescription)' is not an hour of the day",
                    at: item.location, path: "\(path).peak_hours", hint: "hours are 0 to 23, in UTC")
            }
        }
        // Sessions with a cart either purchase or abandon it, so P(cart) = P(purchase) / (1 − P(abandon)).
        if settings.purchaseConversionRate > 1 - settings.cartAbandonmentRate {
            error(
                .invalidProbability,
                "a purchase in \(settings.purchaseConversionRate) of all sessions is not possible when "
                    + "\(settings.cartAbandonmentRate) of the carts are abandoned: more than all sessions would need a cart",
                at: (reader.mapping["purchase_conversion_rate"] ?? reader.mapping["cart_abandonment_rate"])?.location,
                path: path, hint: "purchase_conversion_rate / (1 - cart_abandonment_rate) is at most 1")
        }
        reader.finish(into: &diagnostics)
    }

    private mutating func readTransitions(_ reader: inout MappingReader, _ settings: inout SyntheticSettings) {
        var sums: [String: Double] = [:]
        var pairs: [String: SourceLocation] = [:]
        for (index, item) in (reader.sequence("transitions", into: &diagnostics) ?? []).enumerated() {
            let path = "synthetic.transitions.\(index)"
            guard var inner = MappingReader(item, path: path, into: &diagnostics) else { continue }
            let from = eventTypeName("from", &inner), to = eventTypeName("to", &inner)
            _ = inner.requiredNode("probability", into: &diagnostics)
            let probability = inner.share("probability", into: &diagnostics)
            inner.finish(into: &diagnostics)
            if from == nil, to == nil, inner.mapping["from"] == nil, inner.mapping["to"] == nil {
                error(
                    .missingKey, "a transition needs 'from', 'to' or both", at: item.location, path: path,
                    hint: "without 'from' it begins a session, without 'to' it ends one")
            }
            unique(
                "\(from ?? "the start") → \(to ?? "the end")", "transitions", at: item.location, path: path,
                seen: &pairs)
            guard let probability else { continue }
            let key = from ?? ""
            sums[key, default: 0] += probability
            // A sum of shares such as 0.1 is off by a few units in the last place.
            if sums[key, default: 0] > 1 + 1e-9, sums[key, default: 0] - probability <= 1 + 1e-9 {
                error(
                    .invalidProbability,
                    "the transitions from \(from.map { "'\($0)'" } ?? "the start") add up to more than 1",
                    at: inner.mapping["probability"]?.location ?? item.location, path: path)
            }
            settings.transitions.append(.init(from: from, to: to, probability: probability))
        }
    }

    private mutating func eventTypeName(_ key: String, _ reader: inout MappingReader) -> String? {
        guard let name = reader.string(key, into: &diagnostics) else { return nil }
        if !scopes.contains(where: { $0.event.name == name }), !brokenEventTypes.contains(name) {
            error(
                .unknownEventType, "unknown event type '\(name)'", at: reader.mapping[key]?.location,
                path: reader.childPath(key), hint: hint(for: name, among: scopes.map(\.event.name), "event types"))
        }
        return name
    }

    /// `sample_data: {field: [values]}`. Keys are fields, leaves of records, or the entity's key.
    mutating func readSampleData(_ node: ConfigNode?) -> [String: [String]] {
        guard let node, let reader = MappingReader(node, path: "sample_data", into: &diagnostics) else { return [:] }
        var result: [String: [String]] = [:]
        for entry in reader.mapping.entries where !entry.key.hasPrefix("x-") {
            let path = "sample_data.\(entry.key)"
            let words = entry.key.split(separator: ".").map(String.init)
            var type: FieldType? = entry.key == primaryKey ? .string : nil
            var isBroken = !brokenEventTypes.isEmpty
            for scope in scopes where type == nil {
                if case .broken = scope.find(words) { isBroken = true }
                type = scope.event.fields.leafType(words)
            }
            guard let items = entry.node.sequence, !items.isEmpty else {
                let found = entry.node.sequence == nil ? entry.node.kindDescription : "an empty one"
                error(
                    .wrongType, "'\(path)' takes a list of values, found \(found)", at: entry.node.location, path: path)
                continue
            }
            guard let type else {
                if !isBroken {
                    let known = [primaryKey] + scopes.flatMap { $0.event.fields.map { $0.name } }
                    error(
                        .unknownField, "sample_data names an unknown field '\(entry.key)'", at: entry.keyLocation,
                        path: path, hint: self.hint(for: entry.key, among: known, "fields"))
                }
                continue
            }
            for item in items {
                guard let scalar = item.scalar, !item.isNull else {
                    error(
                        .wrongType, "a sample value is a single value, found \(item.kindDescription)",
                        at: item.location, path: path)
                    continue
                }
                if let reason = ValueText.misfit(scalar.text, type) {
                    error(
                        .valueDoesNotFit, "the sample value '\(scalar.text)' of '\(entry.key)' \(reason)",
                        at: item.location, path: path)
                }
                result[entry.key, default: []].append(scalar.text)
            }
        }
        return result
    }
}

extension [Field] {
    /// The type of a field, or of a leaf of a record, by its words.
    fileprivate func leafType(_ words: [String]) -> FieldType? {
        guard let first = words.first, let field = self.first(where: { $0.name == first }) else { return nil }
        if words.count == 1 { return field.type }
        guard case .record(let inner) = field.type else { return nil }
        return inner.leafType(Array<String>(words.dropFirst()))
    }
}
