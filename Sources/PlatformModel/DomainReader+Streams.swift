import ConfigTree
import DataPath
import Diagnostics
import PluginAPI

extension DomainReader {
    /// Operators that are described and not built yet.
    private static let laterSteps = ["dedupe", "lookup"]

    mutating func readStreams(_ reader: inout MappingReader) {
        guard let items = reader.sequence("streams", into: &diagnostics) else { return }
        var names: [String: SourceLocation] = [:]
        for event in scopes.map(\.event) { names[event.name.lowercased()] = event.location }
        // A stream may read those before it: what a later one is called is known for the message only.
        let all = items.map { $0.mapping?["name"]?.scalar?.text ?? "" }
        for (index, item) in items.enumerated() {
            readStream(item, index: index, later: Array(all[index...]), names: &names)
        }
    }

    private mutating func readStream(
        _ node: ConfigNode, index: Int, later: [String], names: inout [String: SourceLocation]
    ) {
        let written = node.mapping?["name"]?.scalar?.text
        let path = "streams.\(written.flatMap { NameRule.isIdentifier($0) ? $0 : nil } ?? "\(index)")"
        if let written { brokenStreams.insert(written) }
        guard var reader = MappingReader(node, path: path, into: &diagnostics) else { return }
        let errorsBefore = diagnostics.items.count
        let name = identifier(&reader)
        let location = reader.mapping["name"]?.location ?? node.location
        if let name { unique(name, "event types or streams", at: location, path: "\(path).name", seen: &names) }
        let description = reader.string("description", into: &diagnostics)
        let source = readSource(&reader, later: later)
        let sink = reader.string("sink", into: &diagnostics)
        reader.refuse(
            "topic", "'topic' of a stream is", hint: "a stream is written to a table: sink: primary",
            into: &diagnostics)
        let stepNodes = reader.sequence("steps", into: &diagnostics) ?? []
        reader.finish(into: &diagnostics)
        checkSink(sink, reader)

        guard let name, let source else { return }
        var scope = source
        scope.stream = EventScope.StreamView(
            name: name, derived: source.stream?.derived ?? [], kept: source.stream?.kept)
        guard let steps = readSteps(stepNodes, &scope, path: path) else { return }
        var meaning = Fingerprint()
        meaning.add(source.stream.map { "stream \($0.fingerprint)" } ?? "event type \(source.event.name)")
        for part in steps.flatMap(\.operation.meaning) { meaning.add(part) }
        scope.stream?.fingerprint = meaning.text
        let columns = scope.visibleColumns.map {
            DerivedStream.Column(spec: $0, resultName: $0.name.replacing(".", with: "_"))
        }
        if sink != nil { checkTable(columns, of: name, at: location, path: path) }
        guard !diagnostics.items[errorsBefore...].contains(where: { $0.severity == .error }) else { return }
        brokenStreams.remove(name)
        streams.append(
            (
                DerivedStream(
                    name: name, description: description, eventType: source.event.name, parent: source.stream?.name,
                    steps: steps, columns: columns, sink: sink, location: location, fingerprint: meaning.text), scope
            ))
    }

    /// Warns of streams that are not computed: those without a sink that no aggregation reads, nor a stream that is computed.
    /// Called behind all that may read one: what is wrong there may be what names it.
    mutating func checkReaders(_ alerts: [Alert]) {
        guard !diagnostics.hasErrors else { return }
        let definitions = streams.map(\.definition)
        var computed = Set(aggregations.flatMap(\.streams).compactMap(\.self))
        // A stream reads an earlier one.
        for stream in definitions.reversed() where stream.sink != nil || computed.contains(stream.name) {
            computed.insert(stream.name)
            if let parent = stream.parent { computed.insert(parent) }
        }
        for stream in definitions where !computed.contains(stream.name) {
            let next = definitions.filter { $0.parent == stream.name }.map { "'\($0.name)'" }
            let isWatched = alerts.contains { $0.stream == stream.name }
            var readers = next.isEmpty ? [] : ["streams that are not computed"]
            if isWatched { readers.append("event alerts, which do nothing yet,") }
            let fact = readers.isEmpty ? "nothing reads" : "only \(readers.joined(separator: " and ")) read"
            diagnostics.warning(
                .unreadStream, "\(fact) stream '\(stream.name)', and it has no sink: it is not computed",
                at: stream.location, path: "streams.\(stream.name)",
                hint: next.isEmpty
                    ? "write its rows with `sink: primary`, or name it in the 'from' of an aggregation"
                    : "write its rows, or those of \(next.joined(separator: " or ")), with `sink: primary`, or name one of "
                        + "these streams in the 'from' of an aggregation")
        }
    }

    /// The event type or stream that `from` names; nil after a report, or when it was reported before.
    private mutating func readSource(_ reader: inout MappingReader, later: [String]) -> EventScope? {
        guard let from = reader.requiredString("from", into: &diagnostics) else { return nil }
        let known = scopes + streams.map(\.scope)
        if let found = known.first(where: { $0.name == from }) { return found }
        let place = reader.mapping["from"]?.location
        if let position = later.firstIndex(of: from) {
            error(
                .streamOrder,
                position == 0 ? "stream '\(from)' reads itself" : "stream '\(from)' comes after the one that reads it",
                at: place, path: reader.childPath("from"),
                hint: position == 0
                    ? "read an event type or an earlier stream"
                    : "write '\(from)' before it; streams cannot read in a circle")
        } else if !brokenEventTypes.contains(from), !brokenStreams.contains(from) {
            error(
                .unknownEventType, "unknown event type or stream '\(from)'", at: place, path: reader.childPath("from"),
                hint: hint(for: from, among: known.map(\.name), "event types and streams"))
        }
        return nil
    }

    private mutating func checkSink(_ sink: String?, _ reader: MappingReader) {
        guard let sink else { return }
        let place = reader.mapping["sink"]?.location
        if platform.sink(sink) == nil {
            error(
                .unknownSink, "unknown sink '\(sink)'", at: place, path: reader.childPath("sink"),
                hint: hint(for: sink, among: platform.sinks.map(\.name), "sinks"))
        }
        checkSharing(sink, at: place, path: reader.childPath("sink"))
    }

    /// A table's key is `event_id`, and its columns have names of their own.
    private mutating func checkTable(
        _ columns: [DerivedStream.Column], of name: String, at location: SourceLocation, path: String
    ) {
        if !columns.contains(where: { $0.resultName == "event_id" }) {
            error(
                .streamWithoutKey, "stream '\(name)' has a sink and leaves event_id out, the key of its table",
                at: location, path: path, hint: "add event_id to its 'project'")
        }
        var seen: [String: String] = [:]
        for column in columns {
            guard let other = seen.updateValue(column.spec.name, forKey: column.resultName.lowercased()) else {
                continue
            }
            error(
                .duplicateName,
                "columns '\(other)' and '\(column.spec.name)' of stream '\(name)' would both be '\(column.resultName)' in "
                    + "its table", at: location, path: path, hint: "leave one of them out with 'project'")
        }
    }

    /// The steps, bound one after the other; nil when one of them could not be.
    private mutating func readSteps(
        _ nodes: [ConfigNode], _ scope: inout EventScope, path: String
    ) -> [DerivedStream.Step]? {
        var steps: [DerivedStream.Step] = []
        for (index, node) in nodes.enumerated() {
            let path = "\(path).steps.\(index)"
            guard let found = readOperator(node, path: path) else { continue }
            // What a step that is wrong would have made of the columns is not known: those behind it are not bound.
            guard steps.count == index, let step = bind(found.plugin, found.entry, scope, path: path) else { continue }
            scope.stream?.derived += step.added
            if let kept = step.kept {
                scope.stream?.kept = kept
            } else {
                scope.stream?.kept?.append(contentsOf: step.added.map(\.name))
            }
            steps.append(DerivedStream.Step(name: found.entry.key, operation: step, location: found.entry.keyLocation))
        }
        return steps.count == nodes.count ? steps : nil
    }

    /// The operator of a step, with what stands behind its name; nil after a report.
    private mutating func readOperator(
        _ node: ConfigNode, path: String
    ) -> (plugin: any OperatorPlugin, entry: ConfigMapping.Entry)? {
        let known = plugins.names(.operation)
        let supported = "supported steps: \(known.joined(separator: ", "))"
        let entries = (node.mapping?.entries ?? []).filter { !$0.key.hasPrefix("x-") }
        guard entries.count == 1, let entry = entries.first else {
            error(
                .invalidStep,
                entries.count > 1
                    ? "a step is one operator, found \(entries.map { "'\($0.key)'" }.joined(separator: ", "))"
                    : "a step is an operator with its value, found \(node.kindDescription)", at: node.location,
                path: path,
                hint: entries.count > 1
                    ? "begin each of them with '- ', in the order in which they work"
                    : "\(supported), as in `- filter: a > 1`")
            return nil
        }
        guard let plugin = plugins.operation(entry.key) else {
            if Self.laterSteps.contains(entry.key) {
                error(
                    .notSupportedYet, "the step '\(entry.key)' is not supported yet", at: entry.keyLocation,
                    path: "\(path).\(entry.key)", hint: supported)
            } else {
                let near = nearestName(to: entry.key, among: known).map { "did you mean '\($0)'? " } ?? ""
                error(
                    .unknownPlugin, "unknown step '\(entry.key)'", at: entry.keyLocation, path: "\(path).\(entry.key)",
                    hint: near + supported)
            }
            return nil
        }
        return (plugin, entry)
    }

    private mutating func bind(
        _ plugin: any OperatorPlugin, _ entry: ConfigMapping.Entry, _ scope: EventScope, path: String
    ) -> (any StepOperator)? {
        var found = Diagnostics()
        let options = plugin.spec.parse(
            entry.node, path: plugin.spec.isInline ? path : "\(path).\(entry.key)", at: entry.keyLocation, into: &found)
        if !found.hasErrors { plugin.validate(options, into: &found) }
        let input = BoundStepScope(scope: scope, path: "\(path).\(entry.key)")
        let step = found.hasErrors ? nil : plugin.bind(options, to: input, into: &found)
        diagnostics.append(found, path: input.path)
        return step
    }
}
