internal import DataPath
internal import Diagnostics
internal import Metrics
internal import PluginAPI
internal import Synchronization

/// Work for the sink thread.
enum SinkMessage: Sendable {
    /// Rows of the table with this index.
    case rows(table: Int, RecordBatch)
    /// One worker has handed over everything from before the barrier.
    case barrier(Int)
}

/// Writes result rows: the one thread that owns every open sink of a run.
///
/// It commits when its queue is empty, so rows become visible at once, and at barriers, so that a checkpoint never counts
/// what a sink does not hold. A failure that may pass is retried with growing pauses, visibly, for as long as the run
/// lives; the queue fills up meanwhile and the workers wait.
final class SinkThread {
    /// A result table with the name of the sink that it goes to.
    struct Target: Sendable {
        var table: TableDefinition
        var sink: String
    }

    /// What holds readiness back until all sinks are open.
    static let component = "sinks"

    private let targets: [Target]
    private let queue: BoundedQueue<SinkMessage>
    private let control: RunControl
    private let status: PipelineStatus
    private let workerCount: Int
    private let readiness: Readiness
    /// By target.
    private let rowCounters: [Counter]
    private var sinks: [String: any Sink] = [:]
    private let monitors: [String: SinkMonitor]
    private var barrierArrivals = 0

    init(
        targets: [Target], queue: BoundedQueue<SinkMessage>, control: RunControl, status: PipelineStatus,
        workerCount: Int, readiness: Readiness
    ) {
        self.targets = targets
        self.queue = queue
        self.control = control
        self.status = status
        self.workerCount = workerCount
        self.readiness = readiness
        rowCounters = targets.map {
            Counter(
                label: "streamplat_sink_rows_total", dimensions: [("sink", $0.sink), ("table", $0.table.name)])
        }
        monitors = Dictionary(
            uniqueKeysWithValues: Set(targets.map(\.sink)).map { ($0, SinkMonitor(sink: $0, readiness: readiness)) })
    }

    /// Opens the sinks, then takes messages until the queue is closed and empty or the run is abandoned.
    func run(open: (String) throws -> any Sink) {
        do {
            for name in Set(targets.map(\.sink)) { sinks[name] = try open(name) }
            readiness.release(Self.component)
            var hasUncommitted = false
            while !control.shouldAbandon {
                guard let message = queue.pop(waitingMilliseconds: hasUncommitted ? 0 : 100) else {
                    if hasUncommitted { try flushAll() }
                    hasUncommitted = false
                    if queue.isFinished { break }
                    continue
                }
                switch message {
                case .rows(let table, let rows):
                    let target = targets[table]
                    guard let sink = sinks[target.sink], let monitor = monitors[target.sink] else { continue }
                    try retrying(monitor, .write) { try sink.write(rows, to: target.table) }
                    monitor.wrote(rows: rows.rowCount, table: target.table.name)
                    rowCounters[table].increment(by: rows.rowCount)
                    status.rowsWritten.add(rows.rowCount, ordering: .relaxed)
                    hasUncommitted = true
                case .barrier(let number):
                    barrierArrivals += 1
                    guard barrierArrivals == workerCount else { continue }
                    barrierArrivals = 0
                    try flushAll()
                    hasUncommitted = false
                    control.sinkReached(barrier: number)
                }
            }
            for sink in sinks.values { try sink.close() }
        } catch {
            control.fail(error)
        }
    }

    private func flushAll() throws {
        for (name, sink) in sinks {
            guard let monitor = monitors[name] else { continue }
            try retrying(monitor, .flush) { try sink.flush() }
            monitor.flushed()
        }
    }

    private func retrying(
        _ monitor: SinkMonitor, _ operation: SinkMonitor.Operation, _ body: () throws -> Void
    ) throws {
        var pauseMilliseconds = 100
        while true {
            do {
                try monitor.measuring(operation, body)
                return monitor.recovered()
            } catch let error as PipelineError where error.retry == .backoff && !control.shouldAbandon {
                monitor.willRetry(operation, error, pauseMilliseconds: pauseMilliseconds)
                control.pause(milliseconds: pauseMilliseconds)
                pauseMilliseconds = min(pauseMilliseconds * 2, 10_000)
            } catch {
                monitor.gaveUp(operation)
                throw error
            }
        }
    }
}
