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
        public var deadLetters: DeadLetterSettings
        public var topicPrefix: String
        public var broker: any Broker
        public var schemas: any SchemaRegistry
        /// The kind of each sink by name.
        public var sinkNatures: [String: SinkNature]
        /// Opens a sink by name; called on the sink thread.
        public var openSink: @Sendable (String) throws -> any Sink
        /// Where checkpoints of this domain live; absolute.
        public var checkpointFolder: String
        /// Says something that a person should know. Any thread.
        public var notify: @Sendable (String) -> Void

        public init(
            domain: DomainDefinition, settings: RuntimeSettings, deadLetters: DeadLetterSettings, topicPrefix: String,
            broker: any Broker,
            schemas: any SchemaRegistry, sinkNatures: [String: SinkNature],
            openSink: @escaping @Sendable (String) throws -> any Sink,
            checkpointFolder: String, notify: @escaping @Sendable (String) -> Void
        ) {
            self.domain = domain
            self.settings = settings
            self.deadLetters = deadLetters
            self.topicPrefix = topicPrefix
            self.broker = broker
            self.schemas = schemas
            self.sinkNatures = sinkNatures
            self.openSink = openSink
            self.checkpointFolder = checkpointFolder
            self.notify = notify
        }
    }

    public let status = PipelineStatus()
    private let readiness: Readiness
    private let metrics: RunMetrics
    let deadLetterTally: DeadLetterTally
    let logger = Logger(label: "runtime")
    let parts: Parts
    let options: RunOptions
    let topology: Topology
    let workerCount: Int
    /// When ``stop()`` was called, on the clock of the workers; 0 = not yet.
    private let stoppingSince = Atomic<Int64>(0)

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
    }

    /// Ends the run gracefully: what was read is counted, written and checkpointed, for as long as
    /// ``RuntimeSettings/stopTimeoutMilliseconds`` allows. The next run goes on from there.
    public func stop() {
        _ = stoppingSince.compareExchange(expected: 0, desired: Worker.now(), ordering: .relaxed)
    }

    /// Runs until it is stopped, or with ``RunOptions/untilIdle`` until every partition is read to its end.
    ///
    /// Throws ``PipelineError``; what was not checkpointed by then is counted again by the next run, with the same rows.
    public func run() throws -> RunSummary {
        let begin = Date()
        let store = CheckpointStore(folder: parts.checkpointFolder)
        let lock = try store.lock()
        defer { withExtendedLifetime(lock) {} }
        var checkpoint = options.fromEarliest ? nil : try store.load()
        // Replayed records may need that aggregations are counted anew: from a checkpoint that knows nothing of them.
        while true {
            try beginRecounts(checkpoint)
            let wantsRecount = try runOnce(store, from: checkpoint)
            guard wantsRecount, stoppingSince.load(ordering: .relaxed) == 0 else { break }
            checkpoint = try store.load()
        }
        deadLetterTally.tell(at: Worker.now(), isLast: true)
        let summary = RunSummary(
            eventsRead: status.eventsRead.load(ordering: .relaxed),
            rowsWritten: status.rowsWritten.load(ordering: .relaxed),
            deadLetters: status.deadLetters.load(ordering: .relaxed),
            lateEvents: status.lateEvents.load(ordering: .relaxed),
            checkpoints: status.checkpoints.load(ordering: .relaxed),
            seconds: Date().timeIntervalSince(begin))
        logEnd(summary)
        return summary
    }

    /// Runs from a checkpoint until the run should end, or aggregations have to be counted anew: then gives true.
    private func runOnce(
        _ store: CheckpointStore, from checkpoint: Checkpoint?
    ) throws -> Bool {
        let control = RunControl(workerCount: workerCount)
        let hashKey = checkpoint?.hashKey ?? HashKey.random()
        var sequence = checkpoint?.sequence ?? 0

        let sinkQueue = BoundedQueue<SinkMessage>(capacity: 64)
        let targets = makeTargets()
        let (partitions, recounts) = try openPartitions(checkpoint)
        let shared = makeShared(sinkQueue, hashKey, targets, recounts, control)
        let workers = try (0..<workerCount).map { index in
            try Worker(
                index: index, shared: shared,
                partitions: partitions.enumerated().filter { $0.offset % workerCount == index }.map(\.element),
                checkpoint: checkpoint)
        }
        logStart(partitions: partitions.count, checkpoint: checkpoint?.sequence)
        readiness.hold(SinkThread.component, "opening")
        readiness.release(Readiness.process)
        let breakers = (
            DeadLetterBreaker(parts.deadLetters, from: recordSample(at: Worker.now())),
            DeadLetterBreaker(parts.deadLetters, from: rowSample(at: Worker.now()))
        )
        let threads = startThreads(workers, sinkQueue, targets.list, control)

        func takeCheckpoint(_ kind: RunControl.BarrierKind) throws {
            let asked = Worker.nanoseconds()
            guard let reports = try control.runBarrier(kind, check: checkStopTimeout) else { return }
            sequence += 1
            var checkpoint = makeCheckpoint(reports, sequence: sequence, hashKey: hashKey)
            leaveOut(recounts.wanted, of: &checkpoint)
            let bytes = try store.save(checkpoint)
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

        var halted: PipelineError?
        do {
            halted = try supervise(shared, breakers: breakers) { try takeCheckpoint(.checkpoint) }
            readiness.hold(Readiness.process, "draining: what was read is being written")
            if !control.shouldAbandon {
                try takeCheckpoint(
                    .final(closeWindows: options.closeWindows && recounts.wanted.isEmpty && halted == nil))
            }
        } catch {
            control.fail(error)
        }
        sinkQueue.close()
        for thread in threads { thread.join() }
        if let failure = control.failure ?? halted {
            deadLetterTally.tell(at: Worker.now(), isLast: true)
            logger.error(
                "run failed", metadata: ["code": "\((failure as? PipelineError)?.code.id ?? "none")"])
            throw failure
        }
        return !recounts.wanted.isEmpty
    }

    // MARK: Supervision.

    /// Takes a checkpoint at every interval until the run should end; gives the reason when that is because too much of
    /// what it reads cannot be used.
    private func supervise(
        _ shared: Worker.Shared, breakers: (records: DeadLetterBreaker, rows: DeadLetterBreaker),
        checkpoint: () throws -> Void
    ) throws -> PipelineError? {
        let progress = shared.progress
        var lastCheckpoint = Worker.now()
        var lastShown = Int64.min / 2
        var (breaker, rowBreaker) = breakers
        while !shared.control.shouldAbandon, stoppingSince.load(ordering: .relaxed) == 0 {
            usleep(2000)
            status.lag.store(progress.reduce(0) { $0 + $1.lag }, ordering: .relaxed)
            let now = Worker.now()
            if now - lastShown >= 500 {
                lastShown = now
                metrics.show(watermarks: shared.watermarks.all)
                deadLetterTally.tell(at: now)
            }
            if let halted = breaker.verdict(recordSample(at: now)) { return halt(halted, of: "records") }
            if let halted = rowBreaker.verdict(rowSample(at: now)) { return halt(halted, of: "rows") }
            if shared.recounts.isDue(at: now) { return nil }
            if options.untilIdle, try isDrained(progress, shared.control) { break }
            if Worker.now() - lastCheckpoint >= parts.settings.checkpointIntervalMilliseconds {
                try checkpoint()
                lastCheckpoint = Worker.now()
            }
        }
        guard stoppingSince.load(ordering: .relaxed) == 0 else { return nil }
        let now = Worker.now()
        return breaker.verdict(recordSample(at: now)).map { halt($0, of: "records") }
            ?? rowBreaker.verdict(rowSample(at: now)).map { halt($0, of: "rows") }
    }

    /// Every worker has found all its partitions at their ends, and, on a second look, finds them so again.
    private func isDrained(_ progress: [WorkerProgress], _ control: RunControl) throws -> Bool {
        let first = status.eventsRead.load(ordering: .acquiring)
        let quiet = progress.map(\.quiet)
        guard quiet.allSatisfy({ $0 > 0 }) else { return false }
        while !control.shouldAbandon, stoppingSince.load(ordering: .relaxed) == 0,
            zip(progress, quiet).contains(where: { $0.quiet <= $1 && $0.quiet > 0 })
        {
            usleep(1000)
        }
        return stoppingSince.load(ordering: .relaxed) == 0 && progress.allSatisfy { $0.quiet > 0 }
            && status.eventsRead.load(ordering: .acquiring) == first
    }

    /// Throws when the run should have ended by now: a sink that does not come back must not hold it for ever.
    private func checkStopTimeout() throws {
        let since = stoppingSince.load(ordering: .relaxed)
        guard since > 0, Worker.now() - since > parts.settings.stopTimeoutMilliseconds else { return }
        throw PipelineError(
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
        _ targets: (list: [SinkThread.Target], raw: [Int: Int]), _ recounts: RecountRequests, _ control: RunControl
    ) -> Worker.Shared {
        Worker.Shared(
            topology: topology,
            settings: Worker.Settings(
                workerCount: workerCount, batchRows: options.batchRows ?? parts.settings.batchRows,
                flushIntervalMilliseconds: parts.settings.flushIntervalMilliseconds,
                idleTimeoutMilliseconds: parts.settings.idleTimeoutMilliseconds,
                maxFutureSkewMilliseconds: parts.settings.maxFutureSkewMilliseconds,
                deadLetterTopic: DeadLetter.topic(prefix: parts.topicPrefix),
                emitsUpdates: topology.aggregations.map { aggregation in
                    switch aggregation.emit {
                    case .updates: true
                    case .final: false
                    case nil: parts.sinkNatures[aggregation.sink] == .table
                    }
                }, rawTargets: targets.raw),
            broker: parts.broker, schemas: parts.schemas, hashKey: hashKey,
            inboxes: (0..<workerCount).map { _ in BoundedQueue(capacity: 64) }, sinkQueue: sinkQueue,
            control: control, status: status, progress: (0..<workerCount).map { _ in WorkerProgress() },
            watermarks: PublishedWatermarks(count: topology.aggregations.count), metrics: metrics,
            deadLetterTally: deadLetterTally, recounts: recounts, notify: parts.notify)
    }

    private func openPartitions(_ checkpoint: Checkpoint?) throws -> ([PartitionState], RecountRequests) {
        let now = Worker.now()
        let topics = Dictionary(uniqueKeysWithValues: try parts.broker.topics().map { ($0.name, $0.partitions) })
        var result: [PartitionState] = []
        var isWhole = topology.aggregations.map { _ in true }
        for (index, input) in topology.inputs.enumerated() {
            let name = input.eventType.topic.name
            guard let count = topics[name] else {
                throw PipelineError(
                    .notApplied, "topic '\(name)' is not there", hint: "run `streamplat apply` first", exitCode: 3)
            }
            for number in 0..<count {
                let partition = TopicPartition(topic: name, partition: number)
                let (earliest, next) = try parts.broker.offsets(partition)
                if options.fromEarliest, earliest > 0 {
                    parts.notify(
                        "\(name), partition \(number): retention has deleted offsets 0 to \(earliest - 1); windows that "
                            + "held them are counted without them")
                }
                let consumers = try input.consumers.map { consumer in
                    try position(of: consumer, input, partition, earliest: earliest, in: checkpoint)
                }
                for case (.aggregation(let aggregation, _), let state) in zip(input.consumers, consumers)
                where state.refused.start < earliest { isWhole[aggregation] = false }
                let start = consumers.map(\.nextOffset).min() ?? earliest
                guard start <= next else {
                    throw PipelineError(
                        .offsetOutOfRange,
                        "the checkpoint goes on at offset \(start) of \(name), partition \(number), which ends at \(next)",
                        hint: "the topic was replaced; run with --from-earliest to count what it holds now")
                }
                result.append(
                    PartitionState(
                        input: index, partition: partition, reader: try parts.broker.makeReader(partition, at: start),
                        consumers: consumers, reported: ReportedLetters(partition, in: checkpoint, end: next), now: now)
                )
            }
        }
        return (result, RecountRequests(isPossible: isWhole))
    }

    private func position(
        of consumer: Topology.Consumer, _ input: Topology.Input, _ partition: TopicPartition, earliest: Int64,
        in checkpoint: Checkpoint?
    ) throws -> PartitionState.ConsumerPosition {
        let (name, fingerprint) = (topology.sectionName(consumer, of: input), topology.fingerprint(consumer))
        let section = checkpoint?.section(name, fingerprint: fingerprint)
        guard let saved = section?.positions.first(where: { $0.partition == partition }) else {
            return .init(nextOffset: earliest, maxEventTime: .min, refused: RefusedOffsets(start: earliest))
        }
        if saved.nextOffset < earliest {
            parts.notify(
                "\(partition.topic), partition \(partition.partition): offsets \(saved.nextOffset) to \(earliest - 1) were "
                    + "deleted by retention before they were counted")
        }
        return .init(
            nextOffset: max(saved.nextOffset, earliest), maxEventTime: saved.maxEventTime,
            refused: try RefusedOffsets(
                name, fingerprint: fingerprint, partition, in: checkpoint, position: saved.nextOffset))
    }

    private func startThreads(
        _ workers: [Worker], _ sinkQueue: BoundedQueue<SinkMessage>, _ targets: [SinkThread.Target],
        _ control: RunControl
    ) -> [RunThread] {
        let sink = SinkThread(
            targets: targets, queue: sinkQueue, control: control, status: status, workerCount: workerCount,
            readiness: readiness,
            letters: RowLetters(
                DeadLetterWriter(
                    topic: DeadLetter.topic(prefix: parts.topicPrefix), broker: parts.broker, status: status,
                    tally: deadLetterTally, retrying: Retrying(component: "dead letters", control: control)),
                status: status))
        let openSink = parts.openSink
        return [RunThread(name: "sink", confining: sink) { $0.run(open: openSink) }]
            + workers.enumerated().map { index, worker in
                RunThread(name: "worker \(index)", confining: worker) { $0.run() }
            }
    }

    // MARK: Checkpoints.

    private func makeCheckpoint(_ reports: [RunControl.Report], sequence: UInt64, hashKey: HashKey) -> Checkpoint {
        var sections: [Checkpoint.Section] = topology.aggregations.enumerated().map { index, aggregation in
            Checkpoint.Section(
                name: aggregation.name, fingerprint: aggregation.fingerprint, positions: [],
                shards: reports.map { $0.shards[index] })
        }
        for input in topology.inputs where input.eventType.rawEvents {
            sections.append(
                Checkpoint.Section(
                    name: topology.sectionName(.rawEvents, of: input), fingerprint: topology.fingerprint(.rawEvents),
                    positions: [], shards: []))
        }
        let indexes = Dictionary(uniqueKeysWithValues: sections.enumerated().map { ($1.name, $0) })
        for position in reports.flatMap(\.positions) {
            if let index = indexes[position.section] { sections[index].positions.append(position.position) }
        }
        return Checkpoint(sequence: sequence, hashKey: hashKey, sections: sections + reports.flatMap(\.letters))
    }

    /// Tells the broker how far this domain has come. The checkpoint is the truth, so a broker that is away meanwhile only
    /// leaves its figures behind.
    private func commitGroupOffsets(_ checkpoint: Checkpoint) {
        do {
            try parts.broker.commit(group: "streamplat.\(topology.domain)", offsets: lowestOffsets(checkpoint))
        } catch {
            parts.notify("the broker did not take the group offsets, which only inform: \(error)")
        }
    }

    private func lowestOffsets(_ checkpoint: Checkpoint) -> [TopicPartition: Int64] {
        var offsets: [TopicPartition: Int64] = [:]
        for position in checkpoint.sections.flatMap(\.positions) {
            offsets[position.partition] = min(offsets[position.partition] ?? .max, position.nextOffset)
        }
        return offsets
    }
}
