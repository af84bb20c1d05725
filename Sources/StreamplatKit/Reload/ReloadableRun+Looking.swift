internal import Diagnostics
internal import Foundation
internal import PlatformModel
internal import ProjectConfig
internal import Provisioning
internal import StreamRuntime
internal import Synchronization

/// The thread that looks at changed configurations while the pipeline works.
extension ReloadableRun {
    /// How often signals, and how often files are looked at.
    private static let tick: TimeInterval = 0.05
    private static let ticksPerLook = 5

    func startLooking() {
        let thread = Thread { [self] in
            lookUntilEnd()
            noteLookingEnded()
        }
        thread.name = "reload"
        thread.stackSize = 4 << 20
        thread.start()
    }

    private func lookUntilEnd() {
        var watch = ConfigurationWatch()
        var files = state.withLock { $0.running.system.project.configuration.files }
        // Files may have changed between loading and now: the first look is one like all others, but is not told in vain.
        var isFirst = true
        var ticks = 0
        while !state.withLock({ $0.hasEnded }) {
            Thread.sleep(forTimeInterval: Self.tick)
            ticks += 1
            let isAsked = state.withLock { state in
                // One after the other: what comes during a reload is looked at behind it.
                guard !state.isHandingOver, !state.isStopping else { return false }
                defer { state.isAsked = false }
                state.isLooking = state.isAsked
                return state.isAsked
            }
            var isNews = false
            if isAsked {
                watch.know(ConfigurationSnapshot(of: files))
            } else if options.isWatching, ticks % Self.ticksPerLook == 0 {
                isNews =
                    watch.observe(ConfigurationSnapshot(of: files))
                    && state.withLock { state in
                        state.isLooking = !state.isHandingOver && !state.isStopping
                        // Else it is seen again: what a reload under way does not know is asked for behind it.
                        if state.isHandingOver { state.isAsked = true }
                        return state.isLooking
                    }
            }
            guard isAsked || isNews else { continue }
            if let found = look(isTold: isAsked || !isFirst) { files = found }
            isFirst = false
            state.withLock { $0.isLooking = false }
        }
    }

    /// One look. Gives the files that the configuration is made of now; nil when it could not be loaded.
    private func look(isTold: Bool) -> [String]? {
        let project: Project
        do {
            project = try load()
        } catch {
            reportUnlessStopping(Self.event(error))
            return nil
        }
        do {
            if let event = try judge(project), isTold || !event.isUnchanged { reportUnlessStopping(event) }
        } catch {
            reportUnlessStopping(Self.event(error))
        }
        return project.configuration.files
    }

    /// Compares a configuration with what runs. Nil when the pipeline has been asked to hand over.
    private func judge(_ project: Project) throws -> ReloadEvent? {
        let running = state.withLock { $0.running }
        guard let domain = project.domain else { return .unchanged }
        let system = try LiveSystem(project, domain: domain, sharing: running.system)
        let difference = ConfigurationDifference(
            from: running.system.project, running.system.domain, to: system.project, system.domain)
        guard difference.fixed.isEmpty else { return .refused(Self.refusal(difference.fixed)) }
        if running.system.project.platform.runtime.cluster != nil, difference.needsHandOver {
            return .refused(
                PipelineError(
                    .reloadRefused, "a process of a cluster keeps its configuration: all have to change together",
                    hint:
                        "stop and start the processes one after the other; those of the new configuration take over when "
                        + "the last of the old has stopped"))
        }
        guard difference.needsHandOver else {
            guard difference.changesLog else { return .unchanged }
            state.withLock { $0.running.system = system }
            return .adopted(difference, project.platform, pauseMilliseconds: 0)
        }
        let plan = try system.plan()
        if !options.appliesChanges {
            do {
                try system.requireApplied(plan, hint: Self.applyHint(plan))
            } catch let error as PipelineError {
                return .refused(error)
            }
        }
        try plan.diagnostics.throwIfErrors(exitCode: 1)
        // Results that go elsewhere have checkpoints of their own.
        let lock =
            system.checkpointFolder == running.system.checkpointFolder
            ? running.lock : try RunLock(folder: system.checkpointFolder)
        let pipeline = state.withLock { state -> Pipeline? in
            guard !state.isStopping, !state.hasEnded else { return nil }
            state.candidate = .init(
                system: system, lock: lock, difference: difference,
                plan: plan.isEmpty ? nil : plan)
            state.pauseBegan = .now
            return state.pipeline
        }
        pipeline?.handOver()
        return nil
    }

    private func reportUnlessStopping(_ event: ReloadEvent) {
        guard state.withLock({ !$0.isStopping && !$0.hasEnded }) else { return }
        report(event)
    }

    private static func event(_ error: any Error) -> ReloadEvent {
        if let error = error as? DiagnosticsError { return .invalid(error) }
        return .failed(failure(error, "the changed configuration could not be checked"))
    }

    private static func refusal(_ paths: [String]) -> PipelineError {
        PipelineError(
            .reloadRefused, "\(paths.joined(separator: ", ")) cannot change while the run lives",
            hint: "stop the run and start it again")
    }

    private static func applyHint(_ plan: Plan) -> String {
        plan.needsNoRun
            ? "tables and partitions are made while no pipeline runs: stop the run, `streamplat apply`, start it again; a "
                + "run with --apply does this by itself"
            : "run `streamplat apply`, then send SIGHUP"
    }
}

extension ReloadEvent {
    fileprivate var isUnchanged: Bool { if case .unchanged = self { true } else { false } }
}
