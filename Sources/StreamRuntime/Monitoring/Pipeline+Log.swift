internal import Logging
internal import PlatformModel

extension Pipeline {
    /// The settings that hold, once a run; none of them is secret.
    func logStart(partitions: Int, checkpoint: UInt64?) {
        let settings = parts.settings
        logger.info(
            "run started",
            metadata: [
                "domain": "\(topology.domain)", "workers": "\(workerCount)", "partitions": "\(partitions)",
                "aggregations": "\(topology.aggregations.count)",
                "sinks":
                    "\(Set(topology.aggregations.map(\.sink) + topology.streams.compactMap(\.sink)).sorted().joined(separator: ","))",
                "batch_rows": "\(options.batchRows ?? settings.batchRows)",
                "flush_interval_ms": "\(settings.flushIntervalMilliseconds)",
                "checkpoint_interval_ms": "\(settings.checkpointIntervalMilliseconds)",
                "checkpoint": "\(checkpoint.map { String($0) } ?? "none")",
            ])
    }

    func logEnd(_ summary: RunSummary) {
        logger.info(
            isHandingOver ? "run handed over" : "run ended",
            metadata: [
                "domain": "\(topology.domain)", "events": "\(summary.eventsRead)", "rows": "\(summary.rowsWritten)",
                "dead_letters": "\(summary.deadLetters)", "late": "\(summary.lateEvents)",
                "late_records": "\(summary.lateRecords)",
                "checkpoints": "\(summary.checkpoints)", "ms": "\(Int(summary.seconds * 1000))",
            ])
    }
}
