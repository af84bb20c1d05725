internal import DataPath
internal import Diagnostics
internal import Metrics
internal import PluginAPI
internal import Synchronization

/// Writes result rows: the one thread that owns every open sink of a run.
///
/// It commits when its queue is empty, so rows become visible at once (those of single events once a flush interval), and at barriers, so that a checkpoint never counts
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

    let targets: [Target]
    private let queue: BoundedQueue<SinkMessage>
    private let control: RunControl
    private let status: PipelineStatus
    private let workerCount: Int
    private let readiness: Readiness
    /// By target.
    private let rowCounters: [Counter]
    var sinks: [String: any Sink] = [:]
    private let monitors: [String: SinkMonitor]
    private var barrierArrivals = 0
    private var barrierPositions: [RunControl.SectionPosition] = []
    /// The number of the checkpoint that the run began with: barriers are counted from there.
    var lastCheckpoint = CheckpointNumber.none
    private let letters: RowLetters
    var marking = Marking.never
    /// The barrier whose rows are committed here, and of which the stores do not know yet.
    private var unmarkedBarrier: Int?
    private var isRunning = false
    private var hasUncommitted = false
    /// What is uncommitted are rows of single events: more of them come with every batch of events.
    private var hasOnlyEvents = true
    /// When something was committed last, on the run's clock.
    private var lastCommit: Int64
    private let flushIntervalMilliseconds: Int64

    init(
        targets: [Target], queue: BoundedQueue<SinkMessage>, control: RunControl, status: PipelineStatus,
        workerCount: Int, flushIntervalMilliseconds: Int64, readiness: Readiness, letters: RowLetters
    ) {
        self.flushIntervalMilliseconds = flushIntervalMilliseconds
        lastCommit = control.host.clock.milliseconds
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
            uniqueKeysWithValues: Set(targets.map(\.sink)).map {
                ($0, SinkMonitor(sink: $0, readiness: readiness, logger: control.host.logger))
            })
    }

    /// Takes messages until the queue is closed and empty or the run is abandoned.
    func run() {
        while step(waitingMilliseconds: 100) != .ended {}
    }

    /// Takes one message, or commits when there is none. Behind the last step no sink is open: whoever looks at the stores
    /// after the run finds them closed.
    ///
    /// - Parameter waitingMilliseconds: How long a message is waited for when everything is committed.
    func step(waitingMilliseconds: Int) -> StepProgress {
        let progress = control.guarding {
            if !isRunning {
                isRunning = true
                readiness.release(Self.component)
            }
            // A store or a broker that is away would hold up the end of a run that failed.
            if control.shouldAbandon { return .ended }
            if let number = unmarkedBarrier, let positions = control.positions(ofBarrier: number) {
                unmarkedBarrier = nil
                try commit(barrier: number, positions)
                return .worked
            }
            // What the mark waits for is not seen by the queue.
            var pause = unmarkedBarrier == nil ? waitingMilliseconds : min(waitingMilliseconds, 2)
            if hasUncommitted { pause = min(pause, millisecondsToCommit) }
            guard let message = queue.pop(waitingMilliseconds: pause) else {
                if hasUncommitted {
                    guard queue.isFinished || millisecondsToCommit == 0 else { return .waiting }
                    try commitEvents()
                    return .worked
                }
                return queue.isFinished ? try end() : .waiting
            }
            try take(message)
            if hasUncommitted, hasOnlyEvents, isDelaying, millisecondsToCommit == 0 { try commitEvents() }
            return .worked
        }
        if progress == .ended { letGo() }
        return progress
    }

    /// Lets go of every sink that is not closed, without sending what waits. For the thread that has the sinks: of a run that
    /// fails, or that does not come to its first step.
    func letGo() {
        for (name, sink) in sinks.sorted(by: { $0.key < $1.key }) { sink.letGo(name, control.host.logger) }
        sinks = [:]
        letters.abandon()
    }

    /// Commits, and leaves a gap: a store that has one lock for all, as SQLite's, may have been locked again and again.
    private func commitEvents() throws {
        let wasLocked = hasOnlyEvents && isDelaying
        try flushAll()
        if wasLocked { control.pause(milliseconds: Self.gapMilliseconds) }
    }

    private static let gapMilliseconds = 4

    private func take(_ message: SinkMessage) throws {
        switch message {
        case .rows(let table, let rows):
            let target = targets[table]
            guard let sink = sinks[target.sink], let monitor = monitors[target.sink] else { return }
            KillPoint.beforeSink.pass()
            let written = try write(rows, to: target.table, sink, monitor)
            monitor.wrote(rows: written, table: target.table.name)
            rowCounters[table].increment(by: written)
            status.rowsWritten.add(written, ordering: .relaxed)
            hasUncommitted = true
            hasOnlyEvents = hasOnlyEvents && target.table.content == .rawEvents
            // A sink that had too much sent rows: while the queue is never empty, no flush would ask for those refused.
            try setAside(sink)
        case .barrier(let number, let positions):
            barrierArrivals += 1
            barrierPositions += positions
            guard barrierArrivals == workerCount else { return }
            defer { (barrierArrivals, barrierPositions) = (0, []) }
            guard marking == .afterAll else { return try commit(barrier: number, barrierPositions) }
            try flushAll()
            unmarkedBarrier = number
        }
    }

    /// Commits what came before a barrier. After the other members of a cluster rows from behind it may be among them: a sink
    /// that replaces rows by key takes them again from whoever goes on from the checkpoint.
    private func commit(barrier number: Int, _ positions: [RunControl.SectionPosition]) throws {
        let mark = CheckpointMark(
            number: CheckpointNumber(
                epoch: lastCheckpoint.epoch, sequence: lastCheckpoint.sequence + UInt64(number)),
            positions: Self.text(of: positions))
        let stores = try commitAll(mark)
        noteCommit()
        control.sinkReached(barrier: number, stores)
    }

    private func end() throws -> StepProgress {
        // It may have failed while the last message was waited for.
        if control.shouldAbandon { return .ended }
        for (name, sink) in sinks.sorted(by: { $0.key < $1.key }) {
            // It lets go also when it throws.
            sinks[name] = nil
            try sink.close()
            try setAside(sink)
        }
        try letters.close()
        return .ended
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
        for (name, sink) in sinks.sorted(by: { $0.key < $1.key }) {
            guard let monitor = monitors[name] else { continue }
            try retrying(monitor, .flush) { try sink.flush() }
            monitor.flushed()
            try setAside(sink)
        }
        try letters.flush()
        noteCommit()
    }

    private func noteCommit() {
        (hasUncommitted, hasOnlyEvents) = (false, true)
        lastCommit = control.host.clock.milliseconds
    }

    /// How long what is written may wait for more before it is committed. Result rows come once a flush interval, together,
    /// and wait for nothing; rows of single events come all the time, and a commit for each batch would take longer than they do.
    private var millisecondsToCommit: Int {
        guard hasOnlyEvents, isDelaying else { return 0 }
        return max(0, Int(clamping: lastCommit + flushIntervalMilliseconds - control.host.clock.milliseconds))
    }

    /// Other members of a cluster write to the same tables, and would wait.
    private var isDelaying: Bool { marking == .withRows }

    /// Makes dead letters of the rows that the store refused when the sink sent them.
    private func setAside(_ sink: any Sink) throws {
        for batch in sink.takeRefused() {
            _ = try letters.take(batch.refused, of: batch.rows, table: batch.table)
            status.rowsWritten.subtract(batch.refused.rows.count, ordering: .relaxed)
        }
    }

    /// Flushes all sinks with the mark of a checkpoint; gives what they want to get back with it.
    private func commitAll(_ mark: CheckpointMark) throws -> [Checkpoint.Store] {
        var stores: [Checkpoint.Store] = []
        for (name, sink) in sinks.sorted(by: { $0.key < $1.key }) {
            guard let monitor = monitors[name] else { continue }
            let states = try retrying(monitor, .flush) {
                if marking != .never { return try sink.commit(mark) }
                try sink.flush()
                return [:]
            }
            monitor.flushed()
            stores += Self.stores(of: name, states)
            try setAside(sink)
        }
        // The checkpoint that follows counts refused rows, too: their letters are safe before it.
        try letters.flush()
        return stores
    }

    private func retrying<Result>(
        _ monitor: SinkMonitor, _ operation: SinkMonitor.Operation, _ body: () throws -> Result
    ) throws -> Result {
        // It may have failed while another sink was asked; this one could begin to wait.
        if control.shouldAbandon { throw RoundOver("the run has failed meanwhile") }
        var backoff = Backoff()
        while true {
            do {
                let result = try monitor.measuring(operation, body)
                monitor.recovered()
                return result
            } catch let error as PipelineError where error.retry == .backoff && !control.shouldAbandon {
                let pauseMilliseconds = backoff.next(control.host.random())
                monitor.willRetry(operation, error, pauseMilliseconds: pauseMilliseconds)
                control.pause(milliseconds: pauseMilliseconds)
                guard !control.shouldAbandon else {
                    monitor.gaveUp(operation)
                    throw error
                }
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
