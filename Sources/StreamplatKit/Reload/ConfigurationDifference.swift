internal import ConfigTree
internal import DataPath
internal import PlatformModel
internal import PluginAPI
internal import ProjectConfig

/// What a run has to do with a changed configuration. Both sides are checked and have their secrets in.
public struct ConfigurationDifference: Equatable, Sendable {
    /// Aggregations, by name, in the order of the new configuration, and streams as `stream <name>`. Changed ones have another
    /// meaning, and so another fingerprint: they are counted anew.
    public var added: [String] = []
    public var changed: [String] = []
    public var removed: [String] = []
    /// Aggregations that keep their state but differ in how they are run: how often rows are written, how long late events
    /// are waited for.
    public var adjusted: [String] = []
    /// Aggregations that nothing of their own has changed of.
    public var unchanged: [String] = []
    /// Dotted paths of other settings that the pipeline is made of.
    public var settings: [String] = []
    /// Dotted paths of settings that belong to the process, and cannot change while it lives.
    public var fixed: [String] = []
    /// Whether the level or the format of logs differs, which needs no other pipeline.
    public var changesLog = false

    /// Whether another pipeline is needed.
    public var needsHandOver: Bool {
        !(added.isEmpty && changed.isEmpty && removed.isEmpty && adjusted.isEmpty && settings.isEmpty)
    }

    /// Top-level keys that a run does not look at, or that are compared as what they mean.
    private static let unused: Set<String> = [
        "description", "version", "synthetic", "sample_data", "alerts", "metric_alerts", "event_alerts",
        "default_domain",
        "secrets", "domains", "domain", "aggregations", "streams", "monitoring", "broker", "schema_registry", "sinks",
    ]

    init(from old: Project, _ oldDomain: DomainDefinition, to new: Project, _ newDomain: DomainDefinition) {
        compare(oldDomain.streams, newDomain.streams)
        compare(oldDomain.aggregations, newDomain.aggregations)
        let names = Set(oldDomain.sinkNames + newDomain.sinkNames + ["primary"])
        compare(old.platform, new.platform, sinks: names)
        if oldDomain.name != newDomain.name { fixed.append("domain") }
        var paths: [[String]] = []
        Self.collect(old.configuration.tree, new.configuration.tree, [], &paths)
        for path in paths where !Self.unused.contains(path[0]) && !path[0].hasPrefix("x-") {
            switch path[0] {
            case "runtime": if old.platform.runtime.forPipeline == new.platform.runtime.forPipeline { continue }
            case "dead_letters": if old.platform.deadLetters == new.platform.deadLetters { continue }
            default: break
            }
            if path == ["runtime", "checkpoint", "path"] || path.starts(with: ["runtime", "cluster"]) { continue }
            settings.append(ConfigPath(segments: path).description)
        }
    }

    /// What is compared as it is meant: a default that is written down is no difference.
    private mutating func compare(_ old: PlatformSettings, _ new: PlatformSettings, sinks names: Set<String>) {
        fixed += Self.differences(old.broker, new.broker, at: "broker")
        fixed += Self.differences(old.schemaRegistry, new.schemaRegistry, at: "schema_registry")
        if old.monitoring.port != new.monitoring.port { fixed.append("monitoring.port") }
        if old.monitoring.host != new.monitoring.host { fixed.append("monitoring.host") }
        if old.runtime.checkpointPath != new.runtime.checkpointPath { fixed.append("runtime.checkpoint.path") }
        if old.runtime.cluster?.elsewhere != new.runtime.cluster?.elsewhere { fixed.append("runtime.cluster") }
        changesLog =
            (old.monitoring.logLevel, old.monitoring.logFormat) != (new.monitoring.logLevel, new.monitoring.logFormat)
        for name in names.sorted() {
            switch (old.sink(name), new.sink(name)) {
            case (let before?, let after?):
                settings += Self.differences(before.plugin, after.plugin, at: "sinks.\(name)")
            case (nil, nil): break
            default: settings.append("sinks.\(name)")
            }
        }
    }

    private static func differences(_ old: PluginSelection, _ new: PluginSelection, at path: String) -> [String] {
        guard old.type == new.type else { return ["\(path).type"] }
        return old.options.keys(differingFrom: new.options).map { "\(path).\(old.type).\($0)" }
    }

    // MARK: Streams and aggregations.

    private mutating func compare(_ old: [DerivedStream], _ new: [DerivedStream]) {
        func names(_ streams: [DerivedStream], _ isChosen: (DerivedStream) -> Bool) -> [String] {
            streams.filter(isChosen).map { "stream \($0.name)" }
        }
        added += names(new) { stream in !old.contains { $0.name == stream.name } }
        removed += names(old) { stream in !new.contains { $0.name == stream.name } }
        changed += names(new) { stream in
            // Its table is written anew also when only the sink is another.
            old.contains {
                $0.name == stream.name
                    && ($0.fingerprint, $0.table?.fingerprint) != (stream.fingerprint, stream.table?.fingerprint)
            }
        }
    }

    private mutating func compare(_ old: [Aggregation], _ new: [Aggregation]) {
        let known = Dictionary(old.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for aggregation in new {
            guard let before = known[aggregation.name] else {
                added.append(aggregation.name)
                continue
            }
            if before.fingerprint != aggregation.fingerprint {
                changed.append(aggregation.name)
            } else if before.emit != aggregation.emit || before.late != aggregation.late
                || before.spec.watermarkDelayMilliseconds != aggregation.spec.watermarkDelayMilliseconds
                || before.spec.allowedLatenessMilliseconds != aggregation.spec.allowedLatenessMilliseconds
            {
                adjusted.append(aggregation.name)
            } else {
                unchanged.append(aggregation.name)
            }
        }
        let names = Set(new.map(\.name))
        removed += old.map(\.name).filter { !names.contains($0) }
    }

    // MARK: Trees.

    /// The paths at which two trees differ, as deep as both have something there. Places and comments are no difference.
    private static func collect(
        _ old: ConfigNode?, _ new: ConfigNode?, _ path: [String], _ found: inout [[String]]
    ) {
        guard let old, let new else {
            if old != nil || new != nil { found.append(path) }
            return
        }
        switch (old.value, new.value) {
        case (.scalar(let before), .scalar(let after)):
            if before.text != after.text || before.isPlain != after.isPlain { found.append(path) }
        case (.mapping(let before), .mapping(let after)):
            let keys = before.entries.map(\.key) + after.entries.map(\.key).filter { before.entry($0) == nil }
            for key in keys { collect(before[key], after[key], path + [key], &found) }
        case (.sequence(let before), .sequence(let after)):
            guard before.count == after.count, names(before) == names(after) else {
                found.append(path)
                return
            }
            for (index, pair) in zip(before, after).enumerated() {
                collect(pair.0, pair.1, path + [names(before)[index] ?? String(index)], &found)
            }
        default: found.append(path)
        }
    }

    private static func names(_ items: [ConfigNode]) -> [String?] { items.map { $0.mapping?["name"]?.scalar?.text } }
}

extension RuntimeSettings {
    /// Without what belongs to the process.
    fileprivate var forPipeline: RuntimeSettings {
        var settings = self
        settings.checkpointPath = ""
        settings.cluster = nil
        return settings
    }
}

extension ClusterSettings {
    /// The same settings, wherever they are written.
    fileprivate var elsewhere: ClusterSettings {
        var settings = self
        settings.location = nil
        return settings
    }
}

extension ConfigurationDifference: CustomStringConvertible {
    /// For the log: `added: clicks; changed: revenue; settings: runtime.workers`.
    public var description: String {
        let parts = [
            ("added", added), ("counted anew", changed), ("removed", removed), ("adjusted", adjusted),
            ("settings", settings),
        ]
        return parts.filter { !$0.1.isEmpty }.map { "\($0.0): \($0.1.joined(separator: ", "))" }.joined(separator: "; ")
    }
}
