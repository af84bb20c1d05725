internal import Diagnostics
internal import Foundation
internal import Logging
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
        /// Opens a sink by name; called on the thread of ``Pipeline/run()``.
        public var openSink: @Sendable (String) throws -> any Sink
        /// Where checkpoints of this domain live; absolute.
        public var checkpointFolder: String
        /// The environment's name, for the stores' tables of writers.
        public var environment: String
        /// Says something that a person should know. Any thread.
        public var notify: @Sendable (String) -> Void

        public init(
            domain: DomainDefinition, settings: RuntimeSettings, deadLetters: DeadLetterSettings, topicPrefix: String,
            broker: any Broker,
            schemas: any SchemaRegistry, sinkNatures: [String: SinkNature],
            openSink: @escaping @Sendable (String) throws -> any Sink,
            checkpointFolder: String, environment: String = "", notify: @escaping @Sendable (String) -> Void
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
            self.environment = environment
            self.notify = notify
        }
    }

    public let status: PipelineStatus
    let readiness: Readiness
    let metrics: RunMetrics
    let deadLetterTally: DeadLetterTally
    let host: RunHost
    var logger: Logger { host.logger }
    let parts: Parts
    let options: RunOptions
    let topology: Topology
    let workerCount: Int
    let ending: Ending
    let onStart: @Sendable () -> Void
    let handOverAsked = Atomic<Bool>(false)
    let started = Atomic<Bool>(false)
    private let leftCalls = Atomic<Bool>(false)

    /// - Parameter readiness: Is released when events are processed, and held back while a sink is tried again or the run
    ///   ends.
    /// - Parameter status: Counters that go on, of a pipeline before this one.
    /// - Parameter onStart: Called once, on a thread of the run, when the threads of the run have been started.
    public convenience init(
        _ parts: Parts, options: RunOptions = RunOptions(), readiness: Readiness = Readiness(),
        status: PipelineStatus = PipelineStatus(), onStart: @escaping @Sendable () -> Void = {}
    ) {
        self.init(parts, options: options, readiness: readiness, status: status, host: RunHost(), onStart: onStart)
    }

    init(
        _ parts: Parts, options: RunOptions, readiness: Readiness = Readiness(),
        status: PipelineStatus = PipelineStatus(), host: RunHost, onStart: @escaping @Sendable () -> Void = {}
    ) {
        self.host = host
        self.status = status
        self.onStart = onStart
        self.parts = parts
        self.options = options
        self.readiness = readiness
        topology = Topology(domain: parts.domain)
        metrics = RunMetrics(topology)
        deadLetterTally = DeadLetterTally(topic: DeadLetter.topic(prefix: parts.topicPrefix), logger: host.logger)
        workerCount = max(1, options.workers ?? parts.settings.workers ?? ProcessInfo.processInfo.activeProcessorCount)
        ending = Ending(limitMilliseconds: parts.settings.stopTimeoutMilliseconds, clock: host.clock)
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
        try run(
            under: RunLock(folder: parts.checkpointFolder, isShared: parts.settings.cluster != nil, files: host.files))
    }

    /// Like ``run()``, under a lock that the caller has taken and keeps.
    ///
    /// - Parameter held: The lock of ``Parts/checkpointFolder``; shared for a member of a cluster.
    public func run(under held: RunLock) throws -> RunSummary {
        let begin = Date()
        let store = CheckpointStore(folder: held.folder, files: host.files)
        let lock = held.lock
        defer { withExtendedLifetime(held) {} }
        if let cluster = parts.settings.cluster {
            try runInCluster(cluster, store, lock)
        } else {
            // What a run that died was writing.
            store.removeUnusedState()
            try runAlone(store, lock)
        }
        deadLetterTally.tell(at: host.clock.milliseconds, isLast: true)
        let summary = RunSummary(status, seconds: Date().timeIntervalSince(begin))
        logEnd(summary)
        return summary
    }

    private func runAlone(_ store: CheckpointStore, _ lock: CheckpointStore.Lock) throws {
        var candidates: [Checkpoint] = []
        var oldEpoch: UInt64 = 0
        if options.fromEarliest {
            // One that cannot be read does no harm here: the stores keep the epoch, too.
            if let old = try? store.load() { oldEpoch = old.highestEpoch }
        } else {
            let saved = try store.load()
            if let warning = saved.warning { parts.notify(warning) }
            (candidates, oldEpoch) = (saved.candidates, saved.highestEpoch)
        }
        // Replayed records may need that aggregations are counted anew: from a checkpoint that knows nothing of them.
        var recounts: RecountRequests?
        while true {
            recounts = try runOnce(store, lock, candidates, lowestEpoch: oldEpoch + 1, after: recounts)
            guard recounts != nil, !shouldEnd else { break }
            let saved = try store.load()
            (candidates, oldEpoch) = (saved.candidates, saved.highestEpoch)
        }
    }

    /// What a run throws that ends while a thread is still inside a call. The thread may come back and do a little more
    /// before the process ends, so the domain stays locked until then.
    func leaving(_ lock: CheckpointStore.Lock, _ control: RunControl?) -> any Error {
        _ = Unmanaged.passRetained(lock)
        leftCalls.store(true, ordering: .relaxed)
        logger.error("run ended while a call was under way", metadata: ["code": "\(stopTimedOut.code.id)"])
        let failure = control?.failure
        return failure is RoundOver ? stopTimedOut : failure ?? stopTimedOut
    }

    /// Throws when the run should have ended by now: a sink that does not come back must not hold it for ever.
    func checkStopTimeout() throws { if ending.isOverdue { throw stopTimedOut } }

    private var stopTimedOut: PipelineError {
        PipelineError(
            .stopTimedOut,
            "the run could not finish within runtime.stop_timeout: a sink or the broker does not answer",
            hint: "nothing is lost: the next run goes on from the last checkpoint")
    }
}
