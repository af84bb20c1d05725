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
/// lives; the queue fills up meanwhile and the workers wait. Rows that a sink refuses for good become dead letters.
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
    private let letters: RowLetters

    init(
        targets: [Target], queue: BoundedQueue<SinkMessage>, control: RunControl, status: PipelineStatus,
        workerCount: Int, readiness: Readiness, letters: RowLetters
    ) {
        self.targets = targets
        self.queue = queue
        self.control = control
        self.status = status
        self.workerCount = workerCount
        self.readiness = readiness
        self.letters = letters
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
                    let written = try write(rows, to: target.table, sink, monitor)
                    monitor.wrote(rows: written, table: target.table.name)
                    rowCounters[table].increment(by: written)
                    status.rowsWritten.add(written, ordering: .relaxed)
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
            try letters.close()
        } catch {
            control.fail(error)
        }
    }

    /// Writes what the sink takes of a batch, sets the rest aside, and gives the number of rows written.
    private func write(
        _ rows: RecordBatch, to table: TableDefinition, _ sink: any Sink, _ monitor: SinkMonitor
    ) throws -> Int {
        var rest = rows
        while rest.rowCount > 0 {
            do {
                try retrying(monitor, .write) { try sink.write(rest, to: table) }
                break
            } catch let refused as RefusedRows where !refused.rows.isEmpty {
                rest = try letters.take(refused, of: rest, table: table)
            }
        }
        return rest.rowCount
    }

    private func flushAll() throws {
        try letters.flush()
        for (name, sink) in sinks {
            guard let monitor = monitors[name] else { continue }
            try retrying(monitor, .flush) { try sink.flush() }
            monitor.flushed()
        }
    }

    private func retrying(
        _ monitor: SinkMonitor, _ operation: SinkMonitor.Operation, _ body: () throws -> Void
    ) throws {
        var backoff = Backoff()
        while true {
            do {
                try monitor.measuring(operation, body)
                return monitor.recovered()
            } catch let error as PipelineError where error.retry == .backoff && !control.shouldAbandon {
                let pauseMilliseconds = backoff.next()
                monitor.willRetry(operation, error, pauseMilliseconds: pauseMilliseconds)
                control.pause(milliseconds: pauseMilliseconds)
            } catch let refused as RefusedRows {
                monitor.recovered()
                throw refused
            } catch {
                monitor.gaveUp(operation)
                throw error
            }
        }
    }
}
