import ConfigTree
import DataPath
import Diagnostics
import Expressions
import PluginAPI

/// The columns of an aggregation's result rows; `value` is the one that an alert watches.
struct ResultScope: ExpressionScope {
    var aggregation: Aggregation
    var column: String

    var description: String { "aggregation '\(aggregation.name)'" }
    var knownNames: [String] { ["value"] + aggregation.table.columns.map(\.name) }

    func resolve(_ path: [String]) -> ScopeEntry? {
        guard path.count == 1 else { return nil }
        let name = path[0] == "value" ? column : path[0]
        return aggregation.table.columns.first { $0.name == name }.map {
            ScopeEntry(column: $0.name, type: $0.type, isNullable: $0.isNullable)
        }
    }
}

extension DomainReader {
    /// `alerts: {metric_alerts, event_alerts}`; the two lists may also stand at the top.
    mutating func readAlerts(_ top: inout MappingReader) -> [Alert] {
        var names: [String: SourceLocation] = [:]
        var alerts = readAlertLists(&top, &names)
        if let node = top.node("alerts"), var reader = MappingReader(node, path: "alerts", into: &diagnostics) {
            alerts += readAlertLists(&reader, &names)
            reader.finish(into: &diagnostics)
        }
        return alerts
    }

    private mutating func readAlertLists(
        _ reader: inout MappingReader, _ names: inout [String: SourceLocation]
    ) -> [Alert] {
        ["metric_alerts", "event_alerts"].flatMap { key in
            (reader.sequence(key, into: &diagnostics) ?? []).enumerated().compactMap { index, item in
                readAlert(item, isMetric: key == "metric_alerts", path: "\(reader.childPath(key)).\(index)", &names)
            }
        }
    }

    private mutating func readAlert(
        _ node: ConfigNode, isMetric: Bool, path: String, _ names: inout [String: SourceLocation]
    ) -> Alert? {
        guard var reader = MappingReader(node, path: path, into: &diagnostics) else { return nil }
        let name = identifier(&reader)
        let location = reader.mapping["name"]?.location ?? node.location
        if let name { unique(name, "alerts", at: location, path: "\(path).name", seen: &names) }
        let description = reader.string("description", into: &diagnostics)
        let severities = Alert.Severity.allCases.map(\.rawValue)
        let severity = reader.choice("severity", of: severities, into: &diagnostics)
        let channels = reader.strings("channels", into: &diagnostics) ?? []
        let cooldown = reader.duration("cooldown", positive: false, into: &diagnostics)
        let condition = reader.requiredNode("condition", into: &diagnostics).flatMap {
            ExpressionBinding.predicate(
                $0, path: "\(path).condition", defaultField: isMetric ? "value" : nil, into: &diagnostics)
        }
        let key = isMetric ? "metric" : eventAlertKey(&reader, path: path)
        let subject = reader.requiredString(key, into: &diagnostics)
        let subjectAt = reader.mapping[key]?.location
        let hold = isMetric ? reader.duration("for", positive: false, into: &diagnostics) : nil
        if isMetric {
            reader.refuse("on", "'on' of an alert is", into: &diagnostics)
            reader.refuse("forget_after", "'forget_after' of an alert is", into: &diagnostics)
        }
        reader.finish(into: &diagnostics)
        guard let subject,
            let bound = isMetric
                ? bindMetricAlert(subject, condition, at: subjectAt, path: "\(path).\(key)")
                : bindEventAlert(
                    subject, mayBeStream: key == "from", condition, at: subjectAt, path: "\(path).\(key)"),
            let name
        else { return nil }
        return Alert(
            name: name, kind: bound.kind, condition: bound.condition,
            severity: severity.flatMap { Alert.Severity(rawValue: $0) } ?? .warning, location: location,
            description: description, forMilliseconds: hold ?? 0, cooldownMilliseconds: cooldown ?? 0,
            channels: channels.map(\.text))
    }

    /// `event_type`, or `from`, which may name a stream too.
    private mutating func eventAlertKey(_ reader: inout MappingReader, path: String) -> String {
        guard let from = reader.mapping.entry("from") else { return "event_type" }
        if reader.node("event_type") != nil {
            error(
                .conflictingKeys, "an alert has 'event_type' or 'from', not both", at: from.keyLocation,
                path: "\(path).from", hint: "'from' names an event type or a stream")
        }
        return "from"
    }

    private mutating func bindMetricAlert(
        _ subject: String, _ condition: ParsedPredicate?, at location: SourceLocation?, path: String
    ) -> (kind: Alert.Kind, condition: TypedExpression)? {
        let parts = subject.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let aggregation = aggregations.first(where: { $0.name == parts[0] }) else {
            if !brokenAggregations.contains(parts[0]) {
                error(
                    .unknownAggregation, "unknown aggregation '\(parts[0])'", at: location, path: path,
                    hint: hint(for: parts[0], among: aggregations.map(\.name), "aggregations"))
            }
            return nil
        }
        let measures = aggregation.spec.measures.map(\.name)
        let column = parts.count == 2 ? parts[1] : measures[0]
        if parts.count == 1, measures.count > 1 {
            error(
                .unknownAggregation, "'\(subject)' has several measures", at: location, path: path,
                hint: "name one: \(measures.map { "\(subject).\($0)" }.joined(separator: ", "))")
            return nil
        }
        guard measures.contains(column) else {
            error(
                .unknownAggregation, "aggregation '\(parts[0])' has no measure '\(column)'", at: location, path: path,
                hint: hint(for: column, among: measures, "measures"))
            return nil
        }
        let scope = ResultScope(aggregation: aggregation, column: column)
        return condition?.bind(scope, into: &diagnostics).map { (.metric(aggregation: parts[0], column: column), $0) }
    }

    private mutating func bindEventAlert(
        _ subject: String, mayBeStream: Bool, _ condition: ParsedPredicate?, at location: SourceLocation?, path: String
    ) -> (kind: Alert.Kind, condition: TypedExpression)? {
        let known = scopes + (mayBeStream ? streams.map(\.scope) : [])
        guard let scope = known.first(where: { $0.name == subject }) else {
            if !brokenEventTypes.contains(subject), !brokenStreams.contains(subject) {
                let isStream = streams.contains { $0.definition.name == subject }
                error(
                    .unknownEventType, "unknown event type\(mayBeStream ? " or stream" : "") '\(subject)'",
                    at: location,
                    path: path,
                    hint: isStream
                        ? "'\(subject)' is a stream: write `from: \(subject)` in place of 'event_type'"
                        : hint(
                            for: subject, among: known.map(\.name),
                            mayBeStream ? "event types and streams" : "event types"))
            }
            return nil
        }
        return condition?.bind(within: scope, into: &diagnostics).map {
            (.event(eventType: scope.event.name, stream: scope.stream?.name), $0)
        }
    }
}
