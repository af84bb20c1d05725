internal import DataPath
public import Diagnostics
public import PluginAPI

/// What the platform and environment layers say: everything but the domain.
public struct PlatformSettings: Sendable {
    /// The domain of commands that name none.
    public var defaultDomain: String?
    public var broker: PluginSelection
    public var schemaRegistry: PluginSelection
    public var sinks: [SinkDefinition]
    public var secrets: PluginSelection
    public var runtime: RuntimeSettings
    public var topicPrefix: String
    /// What a topic gets that its event type does not say.
    public var topicDefaults: TopicDefaults
    public var schemas: SchemaSettings
    public var monitoring: MonitoringSettings
    public var deadLetters: DeadLetterSettings

    public init(
        defaultDomain: String? = nil, broker: PluginSelection, schemaRegistry: PluginSelection, sinks: [SinkDefinition],
        secrets: PluginSelection,
        runtime: RuntimeSettings = RuntimeSettings(), topicPrefix: String = TopicDefinition.defaultPrefix,
        topicDefaults: TopicDefaults = TopicDefaults(), schemas: SchemaSettings = SchemaSettings(),
        monitoring: MonitoringSettings = MonitoringSettings(), deadLetters: DeadLetterSettings = DeadLetterSettings()
    ) {
        self.defaultDomain = defaultDomain
        self.broker = broker
        self.schemaRegistry = schemaRegistry
        self.sinks = sinks
        self.secrets = secrets
        self.runtime = runtime
        self.topicPrefix = topicPrefix
        self.topicDefaults = topicDefaults
        self.schemas = schemas
        self.monitoring = monitoring
        self.deadLetters = deadLetters
    }

    /// The top-level keys that are read here, but for `domains`, which holds overrides of domains.
    public static var keys: [String] { TopLevelKey.platform.filter { $0 != "domains" } }

    public func sink(_ name: String) -> SinkDefinition? { sinks.first { $0.name == name } }

    /// The topic of records that could not be processed.
    public var deadLetterTopic: String { "\(topicPrefix).dlq" }
    /// The topic of events that came after their windows were closed.
    public var lateTopic: String { LateRecord.topic(prefix: topicPrefix) }
}

/// A plugin chosen by `type`, with its checked options.
public struct PluginSelection: Sendable {
    public var type: String
    public var options: OptionValues
    public var location: SourceLocation

    public init(type: String, options: OptionValues, location: SourceLocation) {
        self.type = type
        self.options = options
        self.location = location
    }
}

public struct SinkDefinition: Sendable {
    public var name: String
    public var plugin: PluginSelection

    public init(name: String, plugin: PluginSelection) {
        self.name = name
        self.plugin = plugin
    }
}

/// `kafka.topics:` without the prefix.
public struct TopicDefaults: Hashable, Sendable {
    public var partitions: Int
    public var replication: Int
    /// Where `replication` is written; nil = nowhere.
    public var replicationLocation: SourceLocation?
    /// Nil = kept for ever.
    public var retentionMilliseconds: Int64?
    /// Nil = no bound on size.
    public var retentionBytes: Int64?

    public init(
        partitions: Int = 4, replication: Int = 1, retentionMilliseconds: Int64? = 604_800_000,
        retentionBytes: Int64? = nil
    ) {
        self.partitions = partitions
        self.replication = replication
        self.retentionMilliseconds = retentionMilliseconds
        self.retentionBytes = retentionBytes
    }
}

/// `schemas:`.
public struct SchemaSettings: Hashable, Sendable {
    /// The Avro namespace of records whose domain names none.
    public var namespace: String
    /// What a new version of an event type's schema must go with.
    public var compatibility: CompatibilityLevel

    public init(namespace: String = "com.streaming.events", compatibility: CompatibilityLevel = .backward) {
        self.namespace = namespace
        self.compatibility = compatibility
    }
}

/// `runtime:`.
public struct RuntimeSettings: Hashable, Sendable {
    /// Nil = as many as there are cores.
    public var workers: Int?
    /// Rows of a batch.
    public var batchRows: Int
    public var flushIntervalMilliseconds: Int64
    public var watermarkDelayMilliseconds: Int64
    /// How long a partition may have nothing to read before the watermark stops waiting for it.
    public var idleTimeoutMilliseconds: Int64
    /// Events further ahead of their log-append time are dead letters.
    public var maxFutureSkewMilliseconds: Int64
    /// How long a graceful stop may take before it gives up.
    public var stopTimeoutMilliseconds: Int64
    /// What the state of open windows may hold together; nil = half of the memory that the process can have.
    public var memoryLimitBytes: Int?
    public var checkpointIntervalMilliseconds: Int64
    /// Relative to the project root.
    public var checkpointPath: String
    /// How several processes share the work of a domain; nil = one process has it alone.
    public var cluster: ClusterSettings?

    /// The tables of one aggregation take some of it before the first group.
    public static let lowestMemoryLimit = 1 << 20

    public init(
        workers: Int? = nil, batchRows: Int = 4096, flushIntervalMilliseconds: Int64 = 1000,
        watermarkDelayMilliseconds: Int64 = 10_000, idleTimeoutMilliseconds: Int64 = 30_000,
        maxFutureSkewMilliseconds: Int64 = 86_400_000, stopTimeoutMilliseconds: Int64 = 30_000,
        memoryLimitBytes: Int? = nil, checkpointIntervalMilliseconds: Int64 = 10_000,
        checkpointPath: String = ".streamplat/checkpoints", cluster: ClusterSettings? = nil
    ) {
        self.workers = workers
        self.batchRows = batchRows
        self.flushIntervalMilliseconds = flushIntervalMilliseconds
        self.watermarkDelayMilliseconds = watermarkDelayMilliseconds
        self.idleTimeoutMilliseconds = idleTimeoutMilliseconds
        self.maxFutureSkewMilliseconds = maxFutureSkewMilliseconds
        self.stopTimeoutMilliseconds = stopTimeoutMilliseconds
        self.memoryLimitBytes = memoryLimitBytes
        self.checkpointIntervalMilliseconds = checkpointIntervalMilliseconds
        self.checkpointPath = checkpointPath
        self.cluster = cluster
    }
}

/// `runtime.cluster:`.
public struct ClusterSettings: Hashable, Sendable {
    /// A process that is silent for so long is taken to be dead.
    public var sessionTimeoutMilliseconds: Int64
    /// How many workers all processes may have together.
    public var slots: Int
    public var location: SourceLocation?

    public init(sessionTimeoutMilliseconds: Int64 = 10_000, slots: Int = 32, location: SourceLocation? = nil) {
        self.sessionTimeoutMilliseconds = sessionTimeoutMilliseconds
        self.slots = slots
        self.location = location
    }
}

/// `dead_letters:`: when a run halts because too much of what it reads cannot be used.
public struct DeadLetterSettings: Hashable, Sendable {
    /// The share of bad records, 0 to 1, above which the run halts; nil = never.
    public var maxShare: Double?
    /// The span of processing time in which the share is measured.
    public var windowMilliseconds: Int64
    /// Fewer records than this in the window are too few to speak of a share.
    public var minRecords: Int

    public init(maxShare: Double? = nil, windowMilliseconds: Int64 = 60_000, minRecords: Int = 1000) {
        self.maxShare = maxShare
        self.windowMilliseconds = windowMilliseconds
        self.minRecords = minRecords
    }
}

/// `monitoring:`.
public struct MonitoringSettings: Hashable, Sendable {
    /// `trace`, `debug`, `info`, `notice`, `warning`, `error` or `critical`.
    public var logLevel: String
    /// `text` or `json`.
    public var logFormat: String
    /// Where metrics and health are served; nil = nowhere, 0 = any free port.
    public var port: Int?
    /// The address that the endpoint listens on.
    public var host: String

    public init(logLevel: String = "info", logFormat: String = "text", port: Int? = nil, host: String = "127.0.0.1") {
        self.logLevel = logLevel
        self.logFormat = logFormat
        self.port = port
        self.host = host
    }
}
