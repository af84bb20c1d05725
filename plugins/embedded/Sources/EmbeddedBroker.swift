public import Diagnostics
import EventLog
public import PluginAPI

/// The broker plugin `embedded`: topics in plain files, with nothing running beside streamplat.
public struct EmbeddedBroker: BrokerPlugin {
    public static let spec = PluginSpec(
        kind: .broker, name: "embedded",
        summary: "A durable event log in a folder, shared by all processes that open it; nothing to install.",
        options: [
            OptionSpec(
                "path", .path, default: ".streamplat/log", doc: "The folder of the log, made when it is missing.",
                example: ".streamplat/log"),
            OptionSpec(
                "fsync", .choice(["never", "interval", "always"]), default: "interval",
                doc: "When records are made durable against a loss of power.", example: "interval"),
            OptionSpec(
                "fsync_interval", .duration, default: "1 second",
                doc: "With fsync: interval, how old an appended record gets before the next append makes it durable.",
                example: "1 second"),
            OptionSpec(
                "segment_bytes", .byteSize, default: "64 MiB",
                doc: "Size of a segment file, for topics without segment.bytes.", example: "64 MiB"),
        ])

    public init() {}

    public func validate(_ options: OptionValues, into diagnostics: inout Diagnostics) {
        if let bytes = options.bytes("segment_bytes"), bytes < 1024 {
            diagnostics.error(
                .invalidValue, "'segment_bytes' is \(bytes), less than 1024", at: options.location("segment_bytes"),
                hint: "64 MiB is the default")
        }
    }

    public func validateTopic(_ topic: TopicRequest, into diagnostics: inout Diagnostics) {
        if topic.replication.value > 1 {
            diagnostics.error(
                .brokerRefusesTopic, "the embedded log keeps one copy of a record, not \(topic.replication.value)",
                at: topic.replication.location,
                hint: "write replication: 1, or set it in the environment that has Kafka")
        }
        for (key, value) in topic.config.sorted(by: { $0.key < $1.key }) {
            if let fault = EventLog.fault(inTopicConfiguration: key, value: value.value) {
                diagnostics.error(.brokerRefusesTopic, fault.message, at: value.location, hint: fault.hint)
            }
        }
    }

    public func open(_ options: OptionValues, _ context: PluginContext) throws -> any Broker {
        let fsync: EventLogOptions.Fsync =
            switch options.string("fsync") {
            case "never": .never
            case "always": .always
            default: .interval(milliseconds: options.milliseconds("fsync_interval") ?? 1000)
            }
        let log = try EventLog(
            root: context.absolute(options.string("path") ?? ".streamplat/log"),
            options: EventLogOptions(fsync: fsync, segmentBytes: options.bytes("segment_bytes") ?? 64 << 20),
            access: context.access == .inspect ? .readOnly : .readWrite, notify: context.notify)
        return EmbeddedLog(log)
    }
}
