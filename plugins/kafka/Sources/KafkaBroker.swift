import ConfigTree
public import Diagnostics
import KafkaClient
public import PluginAPI

/// The broker plugin `kafka`: a Kafka cluster, through librdkafka.
public struct KafkaBroker: BrokerPlugin {
    public static let spec = PluginSpec(
        kind: .broker, name: "kafka",
        summary: "Apache Kafka, or what speaks its protocol, through librdkafka.",
        options: KafkaOptions.connection + KafkaOptions.security + KafkaOptions.records)

    public init() {}

    public func validate(_ options: OptionValues, into diagnostics: inout Diagnostics) {
        KafkaOptions.check(options, into: &diagnostics)
    }

    public func validateTopic(_ topic: TopicRequest, into diagnostics: inout Diagnostics) {
        KafkaTopicRules.check(topic, into: &diagnostics)
    }

    public func open(_ options: OptionValues, _ context: PluginContext) throws -> any Broker {
        let settings = KafkaOptions.settings(options, context)
        let notices = KafkaNotices(sensitiveValues: settings.sensitiveValues, notify: context.notify)
        let metrics = KafkaMetrics()
        do {
            // From the first moment: a connection may fail before anybody waits for it.
            return try notices.holding {
                let cluster = try KafkaCluster(settings, notices: notices) { metrics.record(client: $0, $1) }
                try cluster.connect()
                return KafkaLog(cluster)
            }
        } catch var error as PipelineError {
            if let place = KafkaOptions.place(of: error.code, options) {
                error.hint = (error.hint.map { "\($0) " } ?? "") + "(\(place))"
            }
            throw error
        }
    }
}
