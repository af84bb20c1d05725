internal import Diagnostics
internal import Foundation
internal import Logging
internal import Metrics
internal import PlatformModel
internal import ProjectConfig
public import Provisioning
public import StreamRuntime
internal import Synchronization

/// A run whose configuration may change: pipelines of one process, one after the other, under the same lock of the domain.
///
/// Order of calls: `init` → ``run()``, once, which blocks → meanwhile ``reload()`` and ``stop()`` from any thread.
///
/// A thread of its own loads, checks and compares a changed configuration while the pipeline works. Only when all is well is
/// the pipeline asked to hand over: it ends at a checkpoint, and the next one goes on from there as a run after a stop does.
/// docs/decisions/0004-reload.md has the reasons.
public final class ReloadableRun: Sendable {
    public struct Options: Sendable {
        public var pipeline: RunOptions
        /// Look at the files by itself.
        public var isWatching: Bool
        /// Carry out what is outstanding, at the start and at each reload.
        public var appliesChanges: Bool

        public init(pipeline: RunOptions, isWatching: Bool = false, appliesChanges: Bool = false) {
            self.pipeline = pipeline
            self.isWatching = isWatching
            self.appliesChanges = appliesChanges
        }
    }

    /// Counters over all pipelines.
    public let status = PipelineStatus()
    let options: Options
    let readiness: Readiness
    let load: @Sendable () throws -> Project
    let logger = Logger(label: "reload")
    let state: Mutex<ReloadState>
    private let tell: @Sendable (ReloadEvent) -> Void
    private let applied: @Sendable (Plan) -> Void
    private let lookingEnded = DispatchSemaphore(value: 0)

    /// Takes the lock of the domain, applies what is outstanding if it may, and throws when something is outstanding still.
    ///
    /// - Parameters:
    ///   - load: Loads the configuration again, as it was loaded for `system`. Throws ``DiagnosticsError``.
    ///   - applied: Told each plan that was carried out.
    ///   - tell: Told what became of each reload, on some thread; not while the run is told to stop.
    public init(
        _ system: LiveSystem, _ options: Options, readiness: Readiness, load: @escaping @Sendable () throws -> Project,
        applied: @escaping @Sendable (Plan) -> Void, tell: @escaping @Sendable (ReloadEvent) -> Void
    ) throws {
        self.options = options
        self.readiness = readiness
        self.load = load
        self.applied = applied
        self.tell = tell
        let plan = try system.plan()
        if !options.appliesChanges { try system.requireApplied(plan) }
        try plan.diagnostics.throwIfErrors(exitCode: 1)
        let isShared = system.project.platform.runtime.cluster != nil
        if !plan.isEmpty {
            // Nobody else runs while tables and topics change.
            let lock = try RunLock(folder: system.checkpointFolder)
            try system.apply(plan, under: lock) { _ in }
            applied(plan)
        }
        let lock = try RunLock(folder: system.checkpointFolder, isShared: isShared)
        state = Mutex(ReloadState(running: .init(system: system, lock: lock)))
    }

    /// Asks for a look at the configuration; several that come together are one.
    public func reload() { state.withLock { $0.isAsked = true } }

    /// Ends the run gracefully, also in the middle of a reload.
    public func stop() {
        let pipeline = state.withLock { state in
            state.isStopping = true
            return state.pipeline
        }
        pipeline?.stop()
    }

    /// True when ``run()`` has returned or thrown while a thread was inside a call that does not return.
    public var hasLeftCalls: Bool {
        state.withLock { $0.isLooking || $0.pipeline?.hasLeftCalls == true }
    }

    /// Runs until it is stopped or until all is read, as ``RunOptions`` says; a reload does not end it.
    public func run() throws -> RunSummary {
        let begin = Date()
        // A run that ends by itself is over before its configuration matters again.
        let looks = !options.pipeline.untilIdle
        if looks { startLooking() }
        defer {
            state.withLock { $0.hasEnded = true }
            // A look that hangs at a server must not hold up the end.
            if looks { _ = lookingEnded.wait(timeout: .now() + .seconds(2)) }
        }
        var pipelineOptions = options.pipeline
        var pipeline = makePipeline(pipelineOptions)
        while true {
            do {
                _ = try pipeline.run(under: state.withLock { $0.running.lock })
            } catch {
                pipeline = try backToPrevious(after: error, of: pipeline, pipelineOptions)
                continue
            }
            // What was counted is in the checkpoint.
            pipelineOptions.fromEarliest = false
            guard let next = try takeOver(pipelineOptions) else { break }
            pipeline = next
        }
        return RunSummary(status, seconds: Date().timeIntervalSince(begin))
    }

    // MARK: From one pipeline to the next. On the thread of `run`.

    /// The pipeline of what is running now; it is stopped at once when the run is.
    private func makePipeline(_ options: RunOptions) -> Pipeline {
        state.withLock { state in
            let pipeline = state.running.system.pipeline(options, readiness, status: status) { [weak self] in
                self?.noteStart()
            }
            state.pipeline = pipeline
            if state.isStopping { pipeline.stop() }
            return pipeline
        }
    }

    /// The next pipeline after one that has ended without an error; nil when the run is over.
    private func takeOver(_ options: RunOptions) throws -> Pipeline? {
        let candidate: ReloadState.Candidate? = state.withLock { state in
            guard let candidate = state.candidate else { return nil }
            state.candidate = nil
            // Stopped meanwhile: everything is in the checkpoint. Windows that are to be closed need a pipeline still.
            if state.isStopping, !options.closeWindows { return nil }
            state.previous = state.running
            state.difference = candidate.difference
            state.running = .init(system: candidate.system, lock: candidate.lock)
            return candidate
        }
        guard let candidate else { return nil }
        KillPoint.betweenPipelines.pass()
        do {
            if let plan = candidate.plan {
                try candidate.system.apply(plan, under: candidate.lock) { _ in }
                applied(plan)
            }
        } catch {
            return try goBack(after: error, options)
        }
        KillPoint.betweenPipelines.pass()
        return makePipeline(options)
    }

    private func backToPrevious(after error: any Error, of pipeline: Pipeline, _ options: RunOptions) throws -> Pipeline
    {
        guard !pipeline.hasStarted, !pipeline.hasLeftCalls else { throw error }
        return try goBack(after: error, options)
    }

    /// The pipeline before, made again, when there is one. It has lost nothing: the new one has counted nothing.
    private func goBack(after error: any Error, _ options: RunOptions) throws -> Pipeline {
        let previous: ReloadState.Running? = state.withLock { state in
            guard let previous = state.previous else { return nil }
            state.running = previous
            state.previous = nil
            return previous
        }
        guard let previous else { throw error }
        report(.failed(Self.failure(error, "the new configuration could not be taken over")))
        // A plan that was carried out in part may have changed what it needs.
        try previous.system.requireApplied(try previous.system.plan())
        return makePipeline(options)
    }

    /// A pipeline's threads run.
    private func noteStart() {
        let begun: (ConfigurationDifference, LiveSystem, Duration)? = state.withLock { state in
            // Also after going back: then the one before runs again, and `failed` has been told.
            defer { (state.previous, state.difference, state.pauseBegan) = (nil, nil, nil) }
            guard state.previous != nil, let difference = state.difference, let began = state.pauseBegan
            else { return nil }
            return (difference, state.running.system, .now - began)
        }
        guard let (difference, system, pause) = begun else { return }
        KillPoint.betweenPipelines.pass()
        let milliseconds = Int(pause / .milliseconds(1))
        report(.adopted(difference, system.project.platform, pauseMilliseconds: milliseconds))
    }

    // MARK: Telling.

    /// Counts, logs and tells what became of a reload.
    func report(_ event: ReloadEvent) {
        Counter(label: "streamplat_reloads_total", dimensions: [("result", event.result)]).increment()
        switch event {
        case .unchanged: logger.info("configuration unchanged")
        case .invalid(let error):
            let count = error.diagnostics.items.count { $0.severity == .error }
            warn(.reloadInvalid, "the changed configuration has \(count) error\(count == 1 ? "" : "s")")
        case .refused(let error), .failed(let error): warn(error.code, error.message)
        case .adopted(let difference, _, let pause):
            logger.notice(
                "configuration reloaded", metadata: ["changes": "\(difference)", "pause_ms": "\(pause)"])
        }
        tell(event)
    }

    private func warn(_ code: DiagnosticCode, _ reason: String) {
        logger.warning(
            "the run goes on with the configuration before: \(reason)", metadata: ["code": "\(code.id)"])
    }

    static func failure(_ error: any Error, _ what: String) -> PipelineError {
        let cause = error as? PipelineError
        var failure = PipelineError(
            .reloadFailed, "\(what): \(cause.map { "\($0)" } ?? "\(error)")", hint: cause?.hint,
            exitCode: cause?.exitCode ?? 1)
        failure.notes = cause?.notes ?? []
        return failure
    }

    func noteLookingEnded() { lookingEnded.signal() }
}
