public import ConfigTree
public import Diagnostics
public import PluginAPI

extension PlatformSettings {
    /// The platform's part of the merged tree, typed, with defaults filled in.
    ///
    /// Reports every finding, unknown keys at the top of the tree included (the domain's keys are known too). When
    /// something was wrong the result still stands, with defaults in place of what could not be read, so that the
    /// domain can be checked in the same run; use it for nothing else then. Nil only when the tree is no map.
    ///
    /// A scalar with an unresolved variable counts as right: an offline command checks everything else. Pure.
    public static func check(
        _ tree: ConfigNode, plugins: PluginRegistry, into diagnostics: inout Diagnostics
    ) -> PlatformSettings? {
        guard var top = MappingReader(tree, path: "", into: &diagnostics) else { return nil }
        for conflict in plugins.conflicts {
            diagnostics.error(.pluginConflict, conflict, at: nil, hint: "give one of them another name")
        }
        let selections = PluginSelectionReader(plugins: plugins)
        let broker = selections.read(
            top.node("broker"), kind: .broker, default: "embedded", path: "broker", at: tree.location,
            into: &diagnostics)
        let schemaRegistry = selections.read(
            top.node("schema_registry"), kind: .schemaRegistry, default: "embedded", path: "schema_registry",
            at: tree.location, into: &diagnostics)
        let secrets = selections.read(
            top.node("secrets"), kind: .secretBackend, default: "env", path: "secrets", at: tree.location,
            into: &diagnostics)
        var settings = PlatformSettings(
            broker: broker, schemaRegistry: schemaRegistry, sinks: [], secrets: secrets)
        settings.sinks = readSinks(top.node("sinks"), selections, into: &diagnostics)
        settings.defaultDomain = top.string("default_domain", into: &diagnostics)
        if let node = top.node("kafka") { settings.readTopics(node.withoutVariables, into: &diagnostics) }
        if let node = top.node("runtime") { settings.readRuntime(node.withoutVariables, into: &diagnostics) }
        if let node = top.node("monitoring") { settings.readMonitoring(node.withoutVariables, into: &diagnostics) }
        if let node = top.node("dead_letters") {
            settings.readDeadLetters(node.withoutVariables, into: &diagnostics)
        }
        if let node = top.node("schemas") { settings.readSchemas(node.withoutVariables, into: &diagnostics) }
        // The environment's was taken out when the layers were read.
        if let node = top.node("domains") {
            diagnostics.error(
                .unknownKey, "'domains' is for an environment's file", at: node.location, path: "domains",
                hint:
                    "elsewhere name the domain's own keys: `sinks.primary.type`, not `domains.shop.sinks.primary.type`")
        }
        for key in TopLevelKey.domain + TopLevelKey.later { top.allow(key) }
        top.finish(into: &diagnostics)
        return settings
    }

    private static func readSinks(
        _ node: ConfigNode?, _ selections: PluginSelectionReader, into diagnostics: inout Diagnostics
    ) -> [SinkDefinition] {
        guard let node, let reader = MappingReader(node, path: "sinks", into: &diagnostics) else { return [] }
        return reader.mapping.entries.filter { !$0.key.hasPrefix("x-") && !$0.node.isNull }.map { entry in
            let path = "sinks.\(entry.key)"
            if !NameRule.isIdentifier(entry.key) {
                diagnostics.error(
                    .invalidName, "'\(entry.key)' cannot name a sink", at: entry.keyLocation, path: path,
                    hint: NameRule.hint)
            }
            let selection = selections.read(
                entry.node, kind: .sink, default: nil, path: path, at: entry.keyLocation, into: &diagnostics)
            return SinkDefinition(name: entry.key, plugin: selection)
        }
    }

    private mutating func readTopics(_ node: ConfigNode, into diagnostics: inout Diagnostics) {
        guard var kafka = MappingReader(node, path: "kafka", into: &diagnostics) else { return }
        if let node = kafka.node("topics"),
            var reader = MappingReader(node, path: "kafka.topics", into: &diagnostics)
        {
            if let prefix = reader.string("prefix", into: &diagnostics) {
                if NameRule.isTopic(prefix) {
                    topicPrefix = prefix
                } else {
                    diagnostics.error(
                        .invalidName, "'\(prefix)' cannot begin the name of a topic",
                        at: reader.mapping["prefix"]?.location, path: "kafka.topics.prefix", hint: NameRule.topicHint)
                }
            }
            topicDefaults.partitions =
                reader.integer("partitions", in: TopicReader.partitionRange, into: &diagnostics)
                ?? topicDefaults.partitions
            topicDefaults.replication =
                reader.integer("replication", in: TopicReader.replicationRange, into: &diagnostics)
                ?? topicDefaults.replication
            topicDefaults.replicationLocation = reader.mapping["replication"]?.location
            if let retention = TopicReader.retention(&reader, into: &diagnostics) {
                topicDefaults.retentionMilliseconds = retention.milliseconds
                topicDefaults.retentionBytes = retention.bytes
            }
            reader.finish(into: &diagnostics)
        }
        kafka.finish(into: &diagnostics)
    }

    private mutating func readRuntime(_ node: ConfigNode, into diagnostics: inout Diagnostics) {
        guard var reader = MappingReader(node, path: "runtime", into: &diagnostics) else { return }
        if let workers = reader.node("workers"), workers.scalar?.text != "auto" {
            runtime.workers = reader.integer("workers", in: 1...1024, into: &diagnostics)
        }
        runtime.batchRows = reader.integer("batch_rows", in: 1...1_048_576, into: &diagnostics) ?? runtime.batchRows
        func duration(_ key: String, positive: Bool, _ value: inout Int64) {
            value = reader.duration(key, positive: positive, into: &diagnostics) ?? value
        }
        duration("flush_interval", positive: true, &runtime.flushIntervalMilliseconds)
        duration("watermark_delay", positive: false, &runtime.watermarkDelayMilliseconds)
        duration("idle_timeout", positive: true, &runtime.idleTimeoutMilliseconds)
        duration("max_future_skew", positive: true, &runtime.maxFutureSkewMilliseconds)
        duration("stop_timeout", positive: true, &runtime.stopTimeoutMilliseconds)
        if let node = reader.node("memory_limit"), node.scalar?.text != "auto" {
            let bytes = node.scalar.flatMap { ByteSizeText.bytes($0.text) }.flatMap { Int(exactly: $0) }
            if let bytes, bytes >= RuntimeSettings.lowestMemoryLimit {
                runtime.memoryLimitBytes = bytes
            } else {
                diagnostics.error(
                    .invalidValue,
                    "'memory_limit' is not a number of bytes of at least 1 MiB: '\(node.scalar?.text ?? node.kindDescription)'",
                    at: node.location, path: "runtime.memory_limit",
                    hint: bytes == nil
                        ? ByteSizeText.hint : "write 1 MiB or more, or `auto`: half of the memory there is")
            }
        }
        if let node = reader.node("checkpoint"),
            var checkpoint = MappingReader(node, path: "runtime.checkpoint", into: &diagnostics)
        {
            runtime.checkpointIntervalMilliseconds =
                checkpoint.duration("interval", positive: true, into: &diagnostics)
                ?? runtime.checkpointIntervalMilliseconds
            runtime.checkpointPath = checkpoint.string("path", into: &diagnostics) ?? runtime.checkpointPath
            checkpoint.finish(into: &diagnostics)
        }
        if let node = reader.node("cluster") { runtime.cluster = readCluster(node, into: &diagnostics) }
        reader.finish(into: &diagnostics)
    }

    /// `false`, `true` or settings.
    private func readCluster(_ node: ConfigNode, into diagnostics: inout Diagnostics) -> ClusterSettings? {
        switch node.scalar?.text {
        case "true": return ClusterSettings(location: node.location)
        case "false": return nil
        default: break
        }
        guard node.mapping != nil else {
            diagnostics.error(
                .wrongType,
                "'cluster' is true, false or a map, found \(node.scalar.map { "'\($0.text)'" } ?? node.kindDescription)",
                at: node.location, path: "runtime.cluster",
                hint: "write `cluster: true`, or { session_timeout: 10 seconds, slots: 32 }")
            return nil
        }
        guard var reader = MappingReader(node, path: "runtime.cluster", into: &diagnostics) else { return nil }
        var cluster = ClusterSettings(location: node.location)
        if let timeout = reader.duration("session_timeout", positive: true, into: &diagnostics) {
            if timeout >= 500 {
                cluster.sessionTimeoutMilliseconds = timeout
            } else {
                diagnostics.error(
                    .invalidValue,
                    "'session_timeout' is shorter than 500 ms: a process that only pauses would count as dead",
                    at: reader.mapping["session_timeout"]?.location, path: "runtime.cluster.session_timeout",
                    hint: "10 seconds is the default")
            }
        }
        cluster.slots = reader.integer("slots", in: 1...256, into: &diagnostics) ?? cluster.slots
        reader.finish(into: &diagnostics)
        return cluster
    }

    private mutating func readMonitoring(_ node: ConfigNode, into diagnostics: inout Diagnostics) {
        guard var reader = MappingReader(node, path: "monitoring", into: &diagnostics) else { return }
        monitoring.port = reader.integer("port", in: 0...65_535, into: &diagnostics)
        monitoring.host = reader.string("host", into: &diagnostics) ?? monitoring.host
        if let node = reader.node("log"),
            var log = MappingReader(node, path: "monitoring.log", into: &diagnostics)
        {
            let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]
            monitoring.logLevel = log.choice("level", of: levels, into: &diagnostics) ?? monitoring.logLevel
            monitoring.logFormat =
                log.choice("format", of: ["text", "json"], into: &diagnostics) ?? monitoring.logFormat
            log.finish(into: &diagnostics)
        }
        reader.finish(into: &diagnostics)
    }

    private mutating func readSchemas(_ node: ConfigNode, into diagnostics: inout Diagnostics) {
        guard var reader = MappingReader(node, path: "schemas", into: &diagnostics) else { return }
        if let namespace = reader.string("namespace", into: &diagnostics) {
            if NameRule.isNamespace(namespace) {
                schemas.namespace = namespace
            } else {
                diagnostics.error(
                    .invalidName, "'\(namespace)' is no Avro namespace", at: reader.mapping["namespace"]?.location,
                    path: "schemas.namespace", hint: NameRule.namespaceHint)
            }
        }
        schemas.compatibility =
            reader.choice("compatibility", of: CompatibilityLevel.allCases.map(\.rawValue), into: &diagnostics)
            .flatMap(CompatibilityLevel.init) ?? schemas.compatibility
        reader.finish(into: &diagnostics)
    }
}
