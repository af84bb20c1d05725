internal import Diagnostics
internal import Foundation
internal import PluginAPI

/// Waits for a partition that has not answered yet, but not for ever.
struct Waiting {
    private let limitMilliseconds: Int64
    private var since: DispatchTime?

    init(limitMilliseconds: Int64) { self.limitMilliseconds = limitMilliseconds }

    mutating func reset() { since = nil }

    /// Throws when the partition has been silent for longer than the limit.
    mutating func pause(for partition: TopicPartition) throws {
        let now = DispatchTime.now()
        let start = since ?? now
        since = start
        guard (now.uptimeNanoseconds - start.uptimeNanoseconds) / 1_000_000 < UInt64(limitMilliseconds) else {
            throw PipelineError(
                .letterTopicSilent,
                "\(partition.topic), partition \(partition.partition) has not answered for \(limitMilliseconds / 1000) s",
                hint: "check that the partition's leader is there", exitCode: 3)
        }
        usleep(5000)
    }
}
