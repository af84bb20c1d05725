internal import Diagnostics
internal import Logging
internal import Metrics

/// What is counted, logged and held back about one sink. Threads: one.
final class SinkMonitor {
    enum Operation: String, CaseIterable { case write, flush }

    private let component: String
    private let succeeded: Counter
    private let retried: Counter
    private let failed: Counter
    private let retries: Counter
    private let latencies: [Operation: Metrics.Timer]
    private let logger: Logger
    private let readiness: Readiness
    private var isHeld = false
    private var rowsSinceFlush = 0

    init(sink: String, readiness: Readiness, logger: Logger = Logger(label: "runtime")) {
        component = "sink \(sink)"
        func writes(_ status: String) -> Counter {
            Counter(label: "streamplat_sink_writes_total", dimensions: [("sink", sink), ("status", status)])
        }
        (succeeded, retried, failed) = (writes("ok"), writes("retried"), writes("failed"))
        retries = Counter(label: "streamplat_retries_total", dimensions: [("component", component)])
        latencies = Dictionary(
            uniqueKeysWithValues: Operation.allCases.map { operation in
                (
                    operation,
                    Metrics.Timer(
                        label: "streamplat_sink_latency_seconds",
                        dimensions: [("sink", sink), ("operation", operation.rawValue)])
                )
            })
        var logger = logger
        logger[metadataKey: "sink"] = "\(sink)"
        self.logger = logger
        self.readiness = readiness
    }

    /// Measures one attempt.
    func measuring<Result>(_ operation: Operation, _ body: () throws -> Result) rethrows -> Result {
        let begin = MachineClock.nanoseconds()
        defer { latencies[operation]?.recordNanoseconds(Int64(MachineClock.nanoseconds() - begin)) }
        return try body()
    }

    func wrote(rows: Int, table: String) {
        succeeded.increment()
        rowsSinceFlush += rows
        logger.debug("rows written", metadata: ["rows": "\(rows)", "table": "\(table)"])
    }

    func flushed() {
        guard rowsSinceFlush > 0 else { return }
        logger.debug("flushed", metadata: ["rows": "\(rowsSinceFlush)"])
        rowsSinceFlush = 0
    }

    /// An attempt failed and there will be another.
    func willRetry(_ operation: Operation, _ error: PipelineError, pauseMilliseconds: Int) {
        if operation == .write { retried.increment() }
        retries.increment()
        readiness.hold(component, "trying again: \(error.message)")
        isHeld = true
        logger.warning(
            "\(error.message); trying again",
            metadata: [
                "code": "\(error.code.id)", "operation": "\(operation.rawValue)", "pause_ms": "\(pauseMilliseconds)",
            ])
    }

    /// The last attempt failed.
    func gaveUp(_ operation: Operation) { if operation == .write { failed.increment() } }

    /// An attempt succeeded, perhaps after others.
    func recovered() {
        guard isHeld else { return }
        isHeld = false
        readiness.release(component)
        logger.info("works again")
    }
}
