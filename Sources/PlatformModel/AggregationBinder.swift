import DataPath
import Diagnostics
import Expressions

/// Binds what an aggregation names to the columns of its input event types and streams.
struct AggregationBinder {
    struct Bound {
        var inputs: [String]
        var streams: [EventScope.StreamView?]
        var filters: [TypedExpression?]
        var groups: [ColumnSpec]
        var groupNames: [String]
        var measures: [MeasureSpec]
        var measureFilters: [[TypedExpression?]]
    }

    var name: String
    var path: String
    var location: SourceLocation
    var groups: [(path: [String], location: SourceLocation)]
    var measures: [MeasureDraft]
    var filter: ParsedPredicate?

    /// Every reference with its place.
    private var references: [(path: [String], location: SourceLocation)] {
        let predicates = [filter].compactMap { $0 } + measures.compactMap(\.filter)
        return groups + measures.compactMap(\.field)
            + predicates.flatMap { predicate in predicate.references.map { ($0, predicate.location) } }
    }

    /// The event types that it reads: those of `from`, else those that the filter names, else all that have every
    /// referenced field. Nil after a report, or when something it needs was reported before.
    func inputs(
        from: [(text: String, location: SourceLocation)]?, fromLocation: SourceLocation?, scopes: [EventScope],
        broken: Set<String>, into diagnostics: inout Diagnostics
    ) -> [EventScope]? {
        // Streams are read by name only.
        let events = scopes.filter { $0.stream == nil }
        func unknown(_ name: String, at place: SourceLocation, _ key: String) {
            let known = (key == "from" ? scopes : events).map(\.name)
            let near = nearestName(to: name, among: known).map { "did you mean '\($0)'?" }
            let hasStreams = known.count > events.count
            diagnostics.error(
                .unknownEventType,
                "unknown event type\(hasStreams ? " or stream" : "") '\(name)' in aggregation '\(self.name)'",
                at: place,
                path: "\(path).\(key)",
                hint: near
                    ?? "known event types\(hasStreams ? " and streams" : ""): \(known.joined(separator: ", "))")
        }
        if let from {
            if from.isEmpty {
                diagnostics.error(.invalidValue, "'from' is empty", at: fromLocation, path: "\(path).from")
                return nil
            }
            var found: [EventScope] = []
            for item in from where !broken.contains(item.text) {
                guard let scope = scopes.first(where: { $0.name == item.text }) else {
                    unknown(item.text, at: item.location, "from")
                    continue
                }
                if found.contains(where: { $0.name == item.text }) {
                    diagnostics.error(
                        .duplicateName, "'\(item.text)' is listed twice", at: item.location, path: "\(path).from")
                } else if let other = found.first(where: { $0.event.name == scope.event.name }) {
                    diagnostics.error(
                        .repeatedInput,
                        "'\(other.name)' and '\(item.text)' both give events of type '\(scope.event.name)', which would "
                            + "count twice", at: item.location, path: "\(path).from",
                        hint: "read one of them; a measure's own filter tells its rows apart")
                } else {
                    found.append(scope)
                }
            }
            return found.isEmpty ? nil : found
        }
        var candidates = events
        if let filter, let names = filter.eventTypes {
            for name in names.sorted()
            where !events.contains(where: { $0.event.name == name }) && !broken.contains(name) {
                unknown(name, at: filter.location, "filter")
            }
            candidates = events.filter { names.contains($0.event.name) }
            if candidates.isEmpty { return nil }
            if candidates.count == names.count { return candidates }
        }
        return inferred(candidates, mayBeBroken: !broken.isEmpty, into: &diagnostics)
    }

    private func inferred(
        _ scopes: [EventScope], mayBeBroken: Bool, into diagnostics: inout Diagnostics
    ) -> [EventScope]? {
        let references = references
        let fitting = scopes.filter { scope in references.allSatisfy { scope.has($0.path) } }
        if fitting.isEmpty {
            if mayBeBroken || scopes.isEmpty { return nil }
            var reported = false
            for reference in references where !scopes.contains(where: { $0.has(reference.path) }) {
                reportUnknown(reference, scopes, into: &diagnostics)
                reported = true
            }
            if !reported {
                let places = references.map { reference in
                    let owners = scopes.filter { $0.has(reference.path) }.map(\.event.name)
                    return "'\(reference.path.joined(separator: "."))' is in \(owners.joined(separator: ", "))"
                }
                diagnostics.error(
                    .noInput, "no event type has every field of aggregation '\(name)'", at: location, path: path,
                    hint: places.joined(separator: "; "))
            }
            return nil
        }
        if fitting.count > 1 {
            diagnostics.warning(
                .severalInputs,
                "aggregation '\(name)' reads \(fitting.count) event types: \(fitting.map(\.event.name).joined(separator: ", "))",
                at: location, path: path, hint: "say which with 'from'")
        }
        return fitting
    }

    private func reportUnknown(
        _ reference: (path: [String], location: SourceLocation), _ scopes: [EventScope],
        into diagnostics: inout Diagnostics
    ) {
        // A filter's references are reported by the expression's own typing, at their place inside the text.
        if filter?.location == reference.location
            || measures.contains(where: { $0.filter?.location == reference.location })
        {
            for predicate in [filter].compactMap({ $0 }) + measures.compactMap(\.filter)
            where predicate.location == reference.location {
                let candidate = scopes.max { a, b in matches(a, predicate) < matches(b, predicate) }
                if let candidate { _ = predicate.bind(within: candidate, into: &diagnostics) }
            }
            return
        }
        var reason: String?
        for scope in scopes {
            if case .missing(let hint?) = scope.find(reference.path) { reason = reason ?? hint }
        }
        let text = reference.path.last.map { _ in reference.path.joined(separator: ".") } ?? ""
        let bare =
            reference.path.count > 1 && EventScope.classes[reference.path[0]] != nil
            ? reference.path.dropFirst().joined(separator: ".") : text
        for scope in scopes where reason == nil {
            if let near = nearestName(to: bare, among: scope.knownNames) {
                reason = "did you mean '\(near)'? (\(scope.description))"
            }
        }
        let fields = scopes.count == 1 ? scopes[0].knownNames : []
        diagnostics.error(
            .unknownField, "unknown field '\(text)' in aggregation '\(name)'", at: reference.location, path: path,
            hint: reason
                ?? (fields.isEmpty ? nil : "fields of '\(scopes[0].name)': \(fields.joined(separator: ", "))"))
    }

    private func matches(_ scope: EventScope, _ predicate: ParsedPredicate) -> Int {
        predicate.references.count { scope.has($0) }
    }

    /// Nil after a report, or when a field that it names was reported before.
    func bind(_ inputs: [EventScope], into diagnostics: inout Diagnostics) -> Bound? {
        var bound = Bound(
            inputs: inputs.map(\.event.name), streams: inputs.map(\.stream), filters: [], groups: [], groupNames: [],
            measures: [], measureFilters: [])
        var isComplete = true
        var taken: [String: SourceLocation] = ["window_start": location, "window_end": location]
        func take(_ column: String, at place: SourceLocation) {
            if taken.updateValue(place, forKey: column.lowercased()) != nil {
                diagnostics.error(
                    .duplicateName, "two result columns of aggregation '\(name)' are named '\(column)'", at: place,
                    path: path, hint: "rename a measure with 'as' (or 'name' in measures)")
            }
        }
        for group in groups {
            guard let column = resolve(group, inputs, into: &diagnostics) else {
                isComplete = false
                continue
            }
            if column.moneyScale != nil || column.type == .json {
                diagnostics.error(
                    .invalidGroup,
                    "cannot group by '\(group.path.joined(separator: "."))', which is "
                        + (column.moneyScale != nil ? "money" : column.type.word), at: group.location,
                    path: "\(path).group_by",
                    hint: column.moneyScale != nil ? "group by '\(column.column)', the count of minor units" : nil)
                isComplete = false
            }
            let result = column.words.joined(separator: "_")
            take(result, at: group.location)
            bound.groups.append(ColumnSpec(column.column, column.type, isNullable: column.isNullable))
            bound.groupNames.append(result)
        }
        for measure in measures {
            take(measure.name, at: measure.location)
            guard let spec = bind(measure, inputs, into: &diagnostics) else {
                isComplete = false
                continue
            }
            bound.measures.append(spec)
            bound.measureFilters.append(inputs.map { measure.filter?.bind(within: $0, into: &diagnostics) })
        }
        bound.filters = inputs.map { filter?.bind(within: $0, into: &diagnostics) }
        return isComplete ? bound : nil
    }

    private func bind(
        _ measure: MeasureDraft, _ inputs: [EventScope], into diagnostics: inout Diagnostics
    ) -> MeasureSpec? {
        var column: BoundColumn?
        if let field = measure.field {
            guard let found = resolve(field, inputs, into: &diagnostics) else { return nil }
            column = found
        }
        guard let result = measure.function.resultType(over: column?.type) else {
            let field = measure.field?.path.joined(separator: ".") ?? ""
            diagnostics.error(
                .measureType,
                "'\(measure.function.rawValue)' cannot be computed over '\(field)', which is "
                    + (column?.type.word ?? "nothing"), at: measure.field?.location, path: measure.path,
                hint: measure.function == .sum || measure.function == .avg
                    ? "\(measure.function.rawValue) takes a number; give the field a type such as long or money" : nil)
            return nil
        }
        return MeasureSpec(
            name: measure.name, function: measure.function, column: column?.column, inputType: column?.type,
            resultType: result, isFiltered: measure.hasFilter, isStrict: measure.isStrict)
    }

    /// One column for all inputs: nullable where any is. Nil after a report, or when the field was reported before.
    private func resolve(
        _ reference: (path: [String], location: SourceLocation), _ inputs: [EventScope],
        into diagnostics: inout Diagnostics
    ) -> BoundColumn? {
        var result: BoundColumn?
        for scope in inputs {
            switch scope.find(reference.path) {
            case .found(var column):
                if let other = result, !column.isHeld(as: other) {
                    diagnostics.error(
                        .inputDisagreement,
                        "'\(reference.path.joined(separator: "."))' is \(column.type.word) in \(scope.description), and "
                            + "\(other.type.word) in what else aggregation '\(name)' reads", at: reference.location,
                        path: path, hint: "derive it with the same type under the same name, or read one of them")
                    return nil
                }
                column.isNullable = column.isNullable || result?.isNullable ?? false
                result = column
            case .broken: return nil
            case .missing:
                reportUnknown(reference, [scope], into: &diagnostics)
                return nil
            }
        }
        return result
    }
}

extension BoundColumn {
    /// Whether both are one column for whoever reads the inputs of both.
    fileprivate func isHeld(as other: BoundColumn) -> Bool {
        column == other.column && type == other.type && moneyScale == other.moneyScale
    }
}

extension EventScope {
    /// Whether a reference means something here; a field that was reported as wrong counts.
    func has(_ path: [String]) -> Bool {
        if case .missing = find(path) { false } else { true }
    }
}
