public import DataPath
public import Diagnostics
public import PluginAPI

/// What the platform and environment layers say: everything but the domain.
public struct PlatformSettings: Sendable {
    public var broker: PluginSelection
    public var sinks: [SinkDefinition]
    public var secrets: PluginSelection
    public var runtime: RuntimeSettings
    public var topicPrefix: String
    public var monitoring: MonitoringSettings

    public func sink(_ name: String) -> SinkDefinition? { sinks.first { $0.name == name } }
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

/// `runtime:`.
public struct RuntimeSettings: Sendable {
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
    public var checkpointIntervalMilliseconds: Int64
    public var checkpointPath: String
}

/// `monitoring:`.
public struct MonitoringSettings: Sendable {
    public var logLevel: String
    /// `text` or `json`.
    public var logFormat: String
}
