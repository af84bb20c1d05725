internal import DataPath
internal import Diagnostics
internal import Foundation
internal import Logging
internal import Metrics
public import PlatformModel
public import PluginAPI
internal import Synchronization

/// A domain's running pipeline: partitions → decode → filter → window → rows → sinks.
///
/// Order of calls: `init` (pure) → ``run()``, once, on a thread of the caller's, which it blocks →
/// meanwhile ``stop()`` from any thread, and ``status`` to look at.
public final class Pipeline: Sendable {
    /// What a pipeline is made of.
    public struct Parts: Sendable {
        public var domain: DomainDefinition
        public var settings: RuntimeSettings
        public var topicPrefix: String
        public var broker: any Broker
        public var schemas: any SchemaRegistry
        /// The kind of each sink by name.
        public var sinkNatures: [String: SinkNature]
        /// Opens a sink by name; called on the thread of ``Pipeline/run()``.
        public var openSink: @Sendable (String) throws -> any Sink
        /// Where checkpoints of this domain live; absolute.
        public var checkpointFolder: String
        /// The environment's name, for the stores' tables of writers.
        public var environment: String
        /// Says something that a person should know. Any thread.
        public var notify: @Sendable (String) -> Void

        public init(
            domain: DomainDefinition, settings: RuntimeSettings, topicPrefix: String, broker: any Broker,
            schemas: any SchemaRegistry, sinkNatures: [String: SinkNature],
            openSink: @escaping @Sendable (String) throws -> any Sink,
            checkpointFolder: String, environment: String = "", notify: @escaping @Sendable (String) -> Void
        ) {
            self.domain = domain
            self.settings = settings
            self.topicPrefix = topicPrefix
            self.broker = broker
            self.schemas = schemas
            self.sinkNatures = sinkNatures
            self.openSink = openSink
            self.checkpointFolder = checkpointFolder
            self.environment = environment
            self.notify = notify
        }
    }

    public let status = PipelineStatus()
    private let readiness: Readiness
    private let metrics: RunMetrics
    private let deadLetterTally: DeadLetterTally
    let logger = Logger(label: "runtime")
    let parts: Parts
    let options: RunOptions
    let topology: Topology
    let control: RunControl
    let workerCount: Int
    let ending: Ending
    private let leftCalls = Atomic<Bool>(false)

    /// - Parameter readiness: Is released when events are processed, and held back while a sink is tried again or the run
    ///   ends.
    public init(_ parts: Parts, options: RunOptions = RunOptions(), readiness: Readiness = Readiness()) {
        self.parts = parts
        self.options = options
        self.readiness = readiness
        topology = Topology(domain: parts.domain)
        metrics = RunMetrics(topology)
        deadLetterTally = DeadLetterTally(topic: DeadLetter.topic(prefix: parts.topicPrefix))
        workerCount = max(1, options.workers ?? parts.settings.workers ?? ProcessInfo.processInfo.activeProcessorCount)
        ending = Ending(limitMilliseconds: parts.settings.stopTimeoutMilliseconds)
        control = RunControl(workerCount: workerCount, ending: ending)
    }

    /// Ends the run gracefully: what was read is counted, written and checkpointed, for as long as
    /// ``RuntimeSettings/stopTimeoutMilliseconds`` allows. The next run goes on from there.
    public func stop() { ending.begin() }

    /// True when ``run()`` has thrown while a thread of it was inside a call that does not return. What else the call holds,
    /// such as a file or a connection, must not be waited for then.
    public var hasLeftCalls: Bool { leftCalls.load(ordering: .relaxed) }

    /// Runs until it is stopped, or with ``RunOptions/untilIdle`` until every partition is read to its end.
    ///
    /// Throws ``PipelineError``; what was not checkpointed by then is counted again by the next run, with the same rows.
    public func run() throws -> RunSummary {
        let begin = Date()
        let store = CheckpointStore(folder: parts.checkpointFolder)
        let lock = try store.lock()
        defer { withExtendedLifetime(lock) {} }
        let saved: CheckpointStore.Saved
        var oldEpoch: UInt64 = 0
        if options.fromEarliest {
            // One that cannot be read does no harm here: the stores keep the epoch, too.
            if let old = try? store.load() { oldEpoch = old.highestEpoch }
            saved = CheckpointStore.Saved()
        } else {
            saved = try store.load()
            oldEpoch = saved.highestEpoch
        }
        if let warning = saved.warning { parts.notify(warning) }

        let sinkQueue = BoundedQueue<SinkMessage>(capacity: 64)
        let targets = makeTargets()
        let sinkThread = SinkThread(
            targets: targets.list, queue: sinkQueue, control: control, status: status, workerCount: workerCount,
            readiness: readiness)
        readiness.hold(SinkThread.component, "opening")
        guard let start = try openWhileRunning(sinkThread, saved.candidates, epoch: oldEpoch + 1) else {
            throw leaving(lock)
        }
        let (checkpoint, epoch) = (start.checkpoint, start.epoch)
        let hashKey = checkpoint?.hashKey ?? HashKey.random()
        var sequence = checkpoint?.sequence ?? 0
        let shared = makeShared(sinkQueue, hashKey, targets)
        let partitions = try openPartitions(checkpoint)
        let workers = try (0..<workerCount).map { index in
            try Worker(
                index: index, shared: shared,
                partitions: partitions.enumerated().filter { $0.offset % workerCount == index }.map(\.element),
                checkpoint: checkpoint)
        }
        logStart(partitions: partitions.count, checkpoint: checkpoint?.sequence)
        if checkpoint?.stores != start.stores || checkpoint == nil {
            // Before the first row: what a sink holds after a crash that comes before the first checkpoint of this run can
            // be told from what it held before. Earlier checkpoints do not fit the sinks any more.
            var beginning = checkpoint ?? Checkpoint(sequence: 0, epoch: epoch, hashKey: hashKey, sections: [])
            beginning.stores = start.stores
            try store.save(beginning, keepingPrevious: false)
        }
        readiness.release(Readiness.process)
        let threads = startThreads(workers, sinkThread)

        func takeCheckpoint(_ kind: RunControl.BarrierKind) throws {
            let asked = Worker.nanoseconds()
            guard let (reports, stores) = try control.runBarrier(kind, check: checkStopTimeout) else { return }
            KillPoint.afterSink.pass()
            sequence += 1
            var checkpoint = makeCheckpoint(reports, sequence: sequence, hashKey: hashKey)
            checkpoint.epoch = epoch
            checkpoint.stores = stores
            let bytes = try store.save(checkpoint)
            KillPoint.beforeOffsetCommit.pass()
            commitGroupOffsets(checkpoint)
            let taken = Int64(Worker.nanoseconds() - asked)
            metrics.checkpoints.increment()
            metrics.checkpointDuration.recordNanoseconds(taken)
            metrics.checkpointBytes.record(bytes)
            logger.debug(
                "checkpoint written",
                metadata: ["sequence": "\(sequence)", "bytes": "\(bytes)", "ms": "\(taken / 1_000_000)"])
            status.checkpoints.add(1, ordering: .relaxed)
        }

        do {
            try supervise(shared) { try takeCheckpoint(.checkpoint) }
            readiness.hold(Readiness.process, "draining: what was read is being written")
            if !control.shouldAbandon { try takeCheckpoint(.final(closeWindows: options.closeWindows)) }
        } catch {
            control.fail(error)
        }
        sinkQueue.close()
        guard threads.allSatisfy({ ending.waits(for: $0) }) else { throw leaving(lock) }
        deadLetterTally.tell(at: Worker.now(), isLast: true)
        if let failure = control.failure {
            logger.error(
                "run failed", metadata: ["code": "\((failure as? PipelineError)?.code.id ?? "none")"])
            throw failure
        }
        let summary = RunSummary(
            eventsRead: status.eventsRead.load(ordering: .relaxed),
            rowsWritten: status.rowsWritten.load(ordering: .relaxed),
            deadLetters: status.deadLetters.load(ordering: .relaxed),
            lateEvents: status.lateEvents.load(ordering: .relaxed),
            lateRecords: status.lateRecords.load(ordering: .relaxed),
            checkpoints: status.checkpoints.load(ordering: .relaxed),
            seconds: Date().timeIntervalSince(begin))
        logEnd(summary)
        return summary
    }

    /// What a run throws that ends while a thread is still inside a call. The thread may come back and do a little more
    /// before the process ends, so the domain stays locked until then.
    private func leaving(_ lock: CheckpointStore.Lock) -> any Error {
        _ = Unmanaged.passRetained(lock)
        leftCalls.store(true, ordering: .relaxed)
        logger.error("run ended while a call was under way", metadata: ["code": "\(stopTimedOut.code.id)"])
        return control.failure ?? stopTimedOut
    }

    // MARK: Supervision.

    /// Takes a checkpoint at every interval until the run should end.
    private func supervise(_ shared: Worker.Shared, checkpoint: () throws -> Void) throws {
        let progress = shared.progress
        var lastCheckpoint = Worker.now()
        var lastShown = Int64.min / 2
        while !control.shouldAbandon, !ending.hasBegun {
            usleep(2000)
            status.lag.store(progress.reduce(0) { $0 + $1.lag }, ordering: .relaxed)
            let now = Worker.now()
            if now - lastShown >= 500 {
                lastShown = now
                metrics.show(watermarks: shared.watermarks.all)
                deadLetterTally.tell(at: now)
            }
            if options.untilIdle, try isDrained(progress) { return }
            if Worker.now() - lastCheckpoint >= parts.settings.checkpointIntervalMilliseconds {
                try checkpoint()
                lastCheckpoint = Worker.now()
            }
        }
    }

    /// Every worker has found all its partitions at their ends, and, on a second look, finds them so again.
    private func isDrained(_ progress: [WorkerProgress]) throws -> Bool {
        let first = status.eventsRead.load(ordering: .acquiring)
        let quiet = progress.map(\.quiet)
        guard quiet.allSatisfy({ $0 > 0 }) else { return false }
        while !control.shouldAbandon, !ending.hasBegun,
            zip(progress, quiet).contains(where: { $0.quiet <= $1 && $0.quiet > 0 })
        {
            usleep(1000)
        }
        return !ending.hasBegun && progress.allSatisfy { $0.quiet > 0 }
            && status.eventsRead.load(ordering: .acquiring) == first
    }

    /// Throws when the run should have ended by now: a sink that does not come back must not hold it for ever.
    private func checkStopTimeout() throws { if ending.isOverdue { throw stopTimedOut } }

    private var stopTimedOut: PipelineError {
        PipelineError(
            .stopTimedOut,
            "the run could not finish within runtime.stop_timeout: a sink or the broker does not answer",
            hint: "nothing is lost: the next run goes on from the last checkpoint")
    }

    // MARK: Construction.

    private func makeTargets() -> (list: [SinkThread.Target], raw: [Int: Int]) {
        var list = zip(topology.tables, topology.aggregations).map { SinkThread.Target(table: $0, sink: $1.sink) }
        var raw: [Int: Int] = [:]
        for (index, input) in topology.inputs.enumerated() where input.eventType.rawEvents {
            raw[index] = list.count
            list.append(SinkThread.Target(table: input.eventType.rawTable, sink: "primary"))
        }
        return (list, raw)
    }

    private func makeShared(
        _ sinkQueue: BoundedQueue<SinkMessage>, _ hashKey: HashKey,
        _ targets: (list: [SinkThread.Target], raw: [Int: Int])
    ) -> Worker.Shared {
        Worker.Shared(
            topology: topology,
            settings: Worker.Settings(
                workerCount: workerCount, batchRows: options.batchRows ?? parts.settings.batchRows,
                flushIntervalMilliseconds: parts.settings.flushIntervalMilliseconds,
                idleTimeoutMilliseconds: parts.settings.idleTimeoutMilliseconds,
                maxFutureSkewMilliseconds: parts.settings.maxFutureSkewMilliseconds,
                deadLetterTopic: DeadLetter.topic(prefix: parts.topicPrefix),
                lateTopic: LateRecord.topic(prefix: parts.topicPrefix),
                emission: topology.aggregations.map { aggregation in
                    let replacesRows = parts.sinkNatures[aggregation.sink] == .table
                    switch aggregation.emit {
                    case .updates: return .updates
                    case .final: return replacesRows ? .corrected : .final
                    case nil: return replacesRows ? .updates : .final
                    }
                }, rawTargets: targets.raw),
            broker: parts.broker, schemas: parts.schemas, hashKey: hashKey,
            inboxes: (0..<workerCount).map { _ in BoundedQueue(capacity: 64) }, sinkQueue: sinkQueue,
            control: control, status: status, progress: (0..<workerCount).map { _ in WorkerProgress() },
            watermarks: PublishedWatermarks(count: topology.aggregations.count), metrics: metrics,
            deadLetterTally: deadLetterTally, notify: parts.notify)
    }

    private func startThreads(_ workers: [Worker], _ sink: SinkThread) -> [RunThread] {
        [RunThread(name: "sink", confining: sink) { $0.run() }]
            + workers.enumerated().map { index, worker in
                RunThread(name: "worker \(index)", confining: worker) { $0.run() }
            }
    }
}
