import ConfigTree
import DataPath
import Diagnostics
import Expressions
import PluginAPI

extension DomainReader {
    mutating func readAggregations(_ reader: inout MappingReader) {
        guard let items = reader.sequence("aggregations", into: &diagnostics) else { return }
        var names: [String: SourceLocation] = [:]
        for event in scopes.map(\.event) where event.rawEvents { names[event.name.lowercased()] = event.location }
        for stream in streams.map(\.definition) where stream.sink != nil {
            names[stream.name.lowercased()] = stream.location
        }
        for (index, item) in items.enumerated() { readAggregation(item, index: index, names: &names) }
    }

    private mutating func readAggregation(_ node: ConfigNode, index: Int, names: inout [String: SourceLocation]) {
        let written = node.mapping?["name"]?.scalar?.text
        let path = "aggregations.\(written.flatMap { NameRule.isIdentifier($0) ? $0 : nil } ?? "\(index)")"
        guard var reader = MappingReader(node, path: path, into: &diagnostics) else { return }
        let errorsBefore = diagnostics.items.count
        let name = identifier(&reader)
        let location = reader.mapping["name"]?.location ?? node.location
        if let name { unique(name, "tables", at: location, path: "\(path).name", seen: &names) }
        let description = reader.string("description", into: &diagnostics)
        let from = reader.strings("from", into: &diagnostics)
        let measures = readMeasures(&reader)
        let filterNode = reader.node("filter")
        let filter = filterNode.flatMap {
            ExpressionBinding.predicate($0, path: "\(path).filter", into: &diagnostics)
        }
        let window = reader.requiredNode("window", into: &diagnostics).flatMap {
            WindowReader.read($0, path: "\(path).window", into: &diagnostics)
        }
        let groups = (reader.strings("group_by", into: &diagnostics) ?? []).map {
            (path: $0.text.split(separator: ".").map(String.init), location: $0.location)
        }
        let delay = reader.duration("watermark_delay", positive: false, into: &diagnostics)
        let lateness = reader.duration("allowed_lateness", positive: false, into: &diagnostics)
        let late = reader.choice("late", of: ["drop", "side_output"], into: &diagnostics)
        var emit = reader.choice("emit", of: ["updates", "final"], into: &diagnostics).flatMap {
            Aggregation.EmitMode(rawValue: $0)
        }
        let sink = reader.string("sink", into: &diagnostics) ?? "primary"
        if platform.sink(sink) == nil {
            error(
                .unknownSink, "unknown sink '\(sink)'", at: reader.mapping["sink"]?.location ?? location,
                path: "\(path).sink", hint: hint(for: sink, among: platform.sinks.map(\.name), "sinks"))
        }
        if window?.kind == .session { checkSessionEmission(&emit, sink: sink, reader) }
        checkSharing(sink, at: reader.mapping["sink"]?.location ?? location, path: "\(path).sink")
        reader.finish(into: &diagnostics)

        let binder = AggregationBinder(
            name: name ?? "\(index)", path: path, location: location, groups: groups, measures: measures ?? [],
            filter: filter)
        let inputs = binder.inputs(
            from: from, fromLocation: reader.mapping["from"]?.location, scopes: scopes + streams.map(\.scope),
            broken: brokenEventTypes.union(brokenStreams),
            into: &diagnostics)
        let bound = inputs.flatMap { binder.bind($0, into: &diagnostics) }
        let isWrong = diagnostics.items[errorsBefore...].contains { $0.severity == .error }
        guard let name, let window, let bound, measures != nil, !isWrong else {
            if let written { brokenAggregations.insert(written) }
            return
        }
        let spec = AggregationSpec(
            name: name, window: window, groups: bound.groups, measures: bound.measures,
            watermarkDelayMilliseconds: delay ?? platform.runtime.watermarkDelayMilliseconds,
            allowedLatenessMilliseconds: lateness ?? 0)
        var aggregation = Aggregation(
            name: name, description: description, inputs: bound.inputs,
            streams: bound.streams.map { $0?.name }, inputsAreInferred: from == nil,
            filters: bound.filters, spec: spec, measureFilters: bound.measureFilters, groupNames: bound.groupNames,
            emit: emit, late: late.flatMap { Aggregation.LatePolicy(rawValue: $0) } ?? .drop, sink: sink,
            location: location,
            fingerprint: "")
        aggregation.fingerprint = aggregation.meaning(of: bound.streams).text
        aggregations.append(aggregation)
    }

    /// A file or a stream has one writer.
    mutating func checkSharing(_ sink: String, at location: SourceLocation?, path: String) {
        guard let cluster = platform.runtime.cluster, let type = platform.sink(sink)?.plugin.type,
            let plugin = plugins.sink(type), Swift.type(of: plugin).nature == .append
        else { return }
        error(
            .sinkNotShared,
            "sink '\(sink)' (\(type)) takes rows of one process only, and runtime.cluster lets several run",
            at: location, path: path,
            notes: cluster.location.map { [Diagnostic.Note("runtime.cluster is set here", at: $0)] } ?? [],
            hint: "use a sink that replaces rows, such as postgresql, or leave runtime.cluster out")
    }

    /// A session that goes on or joins another replaces rows that were written; a sink that cannot gets final rows only.
    private mutating func checkSessionEmission(
        _ emit: inout Aggregation.EmitMode?, sink: String, _ reader: MappingReader
    ) {
        guard let type = platform.sink(sink)?.plugin.type, let plugin = plugins.sink(type),
            !Swift.type(of: plugin).replacesInside
        else { return }
        if emit == .updates {
            error(
                .sessionUpdates,
                "sink '\(sink)' (\(type)) cannot take 'emit: updates' of session windows: a session that goes on replaces "
                    + "the rows of what it was before", at: reader.mapping["emit"]?.location,
                path: reader.childPath("emit"),
                hint:
                    "use emit: final, which writes each session once, or a sink that replaces rows, such as sqlite or "
                    + "postgresql")
        }
        emit = .final
    }
}

extension Aggregation {
    /// Over what decides the rows: inputs, filters, window, groups, measures and sink. Not over how long late events are
    /// waited for and how often rows are written: state can be kept when those change.
    fileprivate func meaning(of streams: [EventScope.StreamView?]) -> Fingerprint {
        var hash = Fingerprint()
        let window = spec.window
        if window.kind != .sliding { hash.add(window.kind.rawValue) }
        hash.add("\(window.durationMilliseconds) \(window.slideMilliseconds) \(window.originMilliseconds) \(sink)")
        for (position, filter) in filters.enumerated() {
            hash.add(inputs[position])
            hash.add(filter?.text ?? "")
            if let stream = streams[position] { hash.add("stream \(stream.fingerprint)") }
        }
        for (name, group) in zip(groupNames, spec.groups) { hash.add("\(name) \(group.name) \(group.type)") }
        for (measure, filters) in zip(spec.measures, measureFilters) {
            hash.add("\(measure.name) \(measure.function.rawValue) \(measure.column ?? "") \(measure.resultType)")
            if measure.isStrict { hash.add("strict") }
            hash.add(measure.inputType.map { "\($0)" } ?? "")
            for filter in filters { hash.add(filter?.text ?? "") }
        }
        return hash
    }
}
