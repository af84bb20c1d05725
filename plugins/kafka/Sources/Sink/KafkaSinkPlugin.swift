public import Diagnostics
import KafkaClient
public import PluginAPI

/// The sink `kafka`: a topic for each table.
public struct KafkaSinkPlugin: SinkPlugin {
    public static let spec = PluginSpec(
        kind: .sink, name: "kafka",
        summary: "A topic for each table, written in transactions; its records are JSON.",
        options: KafkaOptions.connection + KafkaSinkOptions.topics + KafkaSinkOptions.writing + KafkaOptions.security
            + KafkaOptions.sending)

    public static let nature = SinkNature.append

    public init() {}

    public func validate(_ options: OptionValues, into diagnostics: inout Diagnostics) {
        KafkaOptions.check(options, into: &diagnostics)
        KafkaSinkOptions.check(options, into: &diagnostics)
    }

    public func open(_ options: OptionValues, _ context: PluginContext) throws -> any Sink {
        let wanted = KafkaSinkOptions(options)
        let settings = wanted.settings(options, context)
        let notices = KafkaNotices(sensitiveValues: settings.sensitiveValues, notify: context.notify)
        let metrics = KafkaMetrics()
        do {
            return try notices.holding {
                let cluster = try KafkaCluster(settings, notices: notices) { metrics.record(client: "sink \($0)", $1) }
                try cluster.connect()
                return KafkaSink(
                    cluster, KafkaReaders(settings: settings, notices: notices), wanted, access: context.access,
                    notify: context.notify)
            }
        } catch var error as PipelineError {
            error = KafkaSink.told(error)
            if let place = KafkaOptions.place(of: error.code, options) {
                error.hint = (error.hint.map { "\($0) " } ?? "") + "(\(place))"
            }
            throw error
        }
    }
}
