import DataPath
import Diagnostics
import Glibc
import KafkaClient

/// Makes connections that read something and are closed: librdkafka goes on fetching what was read once.
struct KafkaReaders {
    let settings: KafkaSettings
    let notices: KafkaNotices

    func open() throws -> KafkaCluster { try KafkaCluster(settings, notices: notices) }
}

extension KafkaCluster {
    /// Gives every committed record that the partition has now, from an offset or its earliest record on; of a small
    /// partition also those before it.
    ///
    /// A partition up to ``readWholeLimit`` is read from its beginning: noida-db tells readers that begin behind an aborted
    /// transaction of it, and librdkafka then hides what the same producer committed later. Apache Kafka names only the
    /// transactions that the answer overlaps.
    func readCommitted(
        _ partition: KafkaPartition, from start: Int64?, _ body: (RecordBlock) throws -> Void
    ) throws {
        let (earliest, next) = try offsets(partition)
        guard max(earliest, start ?? earliest) < next else { return }
        let begin = next - earliest <= Self.readWholeLimit ? earliest : max(earliest, start ?? earliest)
        let reader = try makeReader(partition, at: begin)
        defer { reader.close() }
        let block = RecordBlock()
        var lastProgress = ContinuousClock.now
        while reader.position < next {
            switch try reader.fetch(into: block, maxBytes: 1 << 20) {
            case .records:
                try body(block)
                lastProgress = .now
            case .end: return
            case .nothingYet:
                guard .now - lastProgress < Self.readPatience else {
                    throw PipelineError(
                        .kafkaTimedOut,
                        "reading topic \(partition.topic), partition \(partition.number): nothing came for "
                            + "\(Self.readPatience)",
                        component: "sink kafka", retry: .backoff)
                }
                usleep(500)
            }
        }
    }

    private static var readWholeLimit: Int64 { 100_000 }
    private static var readPatience: Duration { .seconds(30) }
}
