/// Every metric of this program. docs/metrics.md holds the same list; tests keep both, and the names in the code, in step.
///
/// Who records uses the façade (`import Metrics`) with these names and labels; the registry takes help and buckets from here.
public enum MetricCatalog {
    public static let all: [MetricDefinition] = produced + processed + stored + watched + kafka + process

    /// The definition of a name; nil for a metric of a plugin that is not ours.
    public static func definition(_ name: String) -> MetricDefinition? { byName[name] }

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    /// Seconds of a call to a broker, a sink or a disk.
    static let callSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    /// Seconds of work on one batch.
    static let batchSeconds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]
    static let rows: [Double] = [1, 16, 64, 256, 1024, 4096, 16_384, 65_536]

    private static let produced = [
        MetricDefinition(
            "streamplat_events_produced_total", .counter,
            "Events given to the broker: ok = the broker's client took them, failed = it did not, refused = their schema cannot hold them.",
            labels: ["event_type", "status"]),
        MetricDefinition(
            "streamplat_produce_latency_seconds", .histogram,
            "Seconds of one call to the broker's producer: send = hand over one batch, flush = wait until all is durable.",
            labels: ["operation"], buckets: callSeconds),
    ]

    private static let processed = [
        MetricDefinition(
            "streamplat_events_read_total", .counter, "Events read from topics, bad and late ones too.",
            labels: ["event_type"]),
        MetricDefinition("streamplat_batches_total", .counter, "Batches decoded and counted."),
        MetricDefinition(
            "streamplat_batch_duration_seconds", .histogram, "Seconds to decode, filter and count one batch.",
            buckets: batchSeconds),
        MetricDefinition("streamplat_batch_rows", .histogram, "Records of one batch.", buckets: rows),
        MetricDefinition(
            "streamplat_dead_letters_total", .counter,
            "Records sent to the dead-letter topic, by the stage that refused them and the code of the reason.",
            labels: ["stage", "code"]),
        MetricDefinition(
            "streamplat_late_events_total", .counter,
            "Events not counted because all their windows had closed; in a partition that was idle, groups of such events. "
                + "policy: drop, or side_output = given to the topic of late events.",
            labels: ["aggregation", "policy"]),
        MetricDefinition(
            "streamplat_open_windows", .gauge,
            "Windows of which a worker's shard holds state; a window is open in several shards: take the maximum over workers.",
            labels: ["aggregation", "worker"]),
        MetricDefinition(
            "streamplat_state_bytes", .gauge, "Memory of the groups that a worker's shard holds.",
            labels: ["aggregation", "worker"]),
    ]

    private static let stored = [
        MetricDefinition(
            "streamplat_sink_writes_total", .counter,
            "Attempts to hand a batch of rows to a sink: ok, retried = failed and tried again, failed = ended the run.",
            labels: ["sink", "status"]),
        MetricDefinition(
            "streamplat_sink_rows_total", .counter, "Rows that a sink took; a changed row counts each time.",
            labels: ["sink", "table"]),
        MetricDefinition(
            "streamplat_sink_latency_seconds", .histogram,
            "Seconds of one call to a sink: write = hand over one batch of rows, flush = wait until all is durable.",
            labels: ["sink", "operation"], buckets: callSeconds),
        MetricDefinition("streamplat_checkpoints_total", .counter, "Checkpoints written."),
        MetricDefinition(
            "streamplat_checkpoint_duration_seconds", .histogram,
            "Seconds from asking for a checkpoint until it is durable and the broker knows its offsets.",
            buckets: callSeconds),
        MetricDefinition(
            "streamplat_reloads_total", .counter,
            "Looks at a changed configuration: ok = taken over, unchanged, invalid = it has errors, refused = not while it "
                + "runs or not applied, failed = it could not be taken over.", labels: ["result"]),
        MetricDefinition(
            "streamplat_checkpoint_bytes", .gauge,
            "Bytes that the newest checkpoint wrote: its file and what changed in the state."),
        MetricDefinition(
            "streamplat_retries_total", .counter, "Calls that failed and were tried again.", labels: ["component"]),
    ]

    private static let watched = [
        MetricDefinition(
            "streamplat_consumer_lag", .gauge, "Records of a partition that are still to be read.",
            labels: ["topic", "partition"]),
        MetricDefinition(
            "streamplat_watermark_seconds", .gauge,
            "The watermark as seconds since the epoch; absent before the first event.", labels: ["aggregation"]),
        MetricDefinition(
            "streamplat_watermark_lag_seconds", .gauge,
            "How far the watermark is behind now; large while old events are replayed.", labels: ["aggregation"]),
        MetricDefinition(
            "streamplat_build_info", .gauge, "Always 1; its label says which version runs.", labels: ["version"]),
    ]

    /// Of the broker plugin `kafka`, from librdkafka's statistics.
    private static let kafka = [
        MetricDefinition(
            "streamplat_kafka_brokers_up", .gauge,
            "Kafka brokers that a connection stands to; `client` is reader, or producer with its number.",
            labels: ["client"]),
        MetricDefinition(
            "streamplat_kafka_queued_records", .gauge,
            "Records that wait to be sent to Kafka or acknowledged.",
            labels: ["client"]),
        MetricDefinition(
            "streamplat_kafka_queued_bytes", .gauge,
            "Bytes of the records that wait to be sent to Kafka or acknowledged.",
            labels: ["client"]),
        MetricDefinition(
            "streamplat_kafka_round_trip_seconds", .gauge,
            "The slowest broker's 99th percentile of the time between a request and its answer.",
            labels: ["client"]),
        MetricDefinition(
            "streamplat_kafka_fetched_records", .gauge,
            "Records that were fetched from Kafka ahead of their use.", labels: ["client"]),
        MetricDefinition(
            "streamplat_kafka_fetched_bytes", .gauge,
            "Bytes of the records that were fetched from Kafka ahead of their use.", labels: ["client"]),
        MetricDefinition(
            "streamplat_kafka_sent_records_total", .counter, "Records sent to Kafka.", labels: ["client"]),
        MetricDefinition(
            "streamplat_kafka_received_records_total", .counter, "Records received from Kafka.", labels: ["client"]),
        MetricDefinition(
            "streamplat_kafka_sent_bytes_total", .counter,
            "Bytes of keys and values sent to Kafka, before compression.",
            labels: ["client"]),
        MetricDefinition(
            "streamplat_kafka_received_bytes_total", .counter,
            "Bytes of keys and values received from Kafka, after decompression.",
            labels: ["client"]),
        MetricDefinition(
            "streamplat_kafka_broker_up", .gauge,
            "1 while a connection to the broker stands, else 0; `broker` is its id, of the 64 lowest.",
            labels: ["client", "broker"]),
        MetricDefinition(
            "streamplat_kafka_broker_round_trip_seconds", .gauge,
            "Time between a request to the broker and its answer over the last second: avg or p99.",
            labels: ["client", "broker", "statistic"]),
        MetricDefinition(
            "streamplat_kafka_broker_waiting_requests", .gauge, "Requests that wait to be sent to the broker.",
            labels: ["client", "broker"]),
        MetricDefinition(
            "streamplat_kafka_broker_unanswered_requests", .gauge, "Requests that wait for the broker's answer.",
            labels: ["client", "broker"]),
        MetricDefinition(
            "streamplat_kafka_broker_requests_total", .counter, "Requests sent to the broker.",
            labels: ["client", "broker"]),
        MetricDefinition(
            "streamplat_kafka_broker_responses_total", .counter, "Answers received from the broker.",
            labels: ["client", "broker"]),
        MetricDefinition(
            "streamplat_kafka_broker_connects_total", .counter, "Attempts to connect to the broker, failed ones too.",
            labels: ["client", "broker"]),
        MetricDefinition(
            "streamplat_kafka_broker_disconnects_total", .counter, "Connections to the broker that ended.",
            labels: ["client", "broker"]),
        MetricDefinition(
            "streamplat_kafka_broker_faults_total", .counter,
            "Requests to the broker by what went wrong: retry = sent again, timeout, send_error, receive_error.",
            labels: ["client", "broker", "kind"]),
    ]

    private static let process = [
        MetricDefinition("process_resident_memory_bytes", .gauge, "Resident memory of the process."),
        MetricDefinition(
            "process_cpu_seconds_total", .counter, "Processor time of the process, user and system, in seconds."),
        MetricDefinition(
            "process_start_time_seconds", .gauge, "When the process started, in seconds since the epoch."),
    ]
}
