import Diagnostics
import PlatformModel
import PluginAPI

@testable import StreamRuntime

/// One process with a pipeline in it, whose parts are driven a step at a time in an order that chance gives. Threads: one.
final class SimulatedRun {
    enum Step: Equatable {
        case goesOn
        case killed
        case ended(hasSucceeded: Bool)
    }

    let process: SimulatedProcess
    let endsWhenIdle: Bool
    /// All events were there when it began.
    let hadAllEvents: Bool
    private let pipeline: Pipeline
    private let lock: CheckpointStore.Lock
    private let round: Round
    /// Workers, then the sink thread, then the coordinator: how often each is chosen, and whether it has ended.
    private var weights: [Int]
    private var hasEnded: [Bool]
    private var watermarks: [Int64]

    init(_ process: SimulatedProcess, _ domain: DomainDefinition, fault: PlantedFault?) throws {
        self.process = process
        let world = process.world
        let chance = world.chance
        hadAllEvents = world.broker.hasAll
        endsWhenIdle = hadAllEvents || chance.happens(30)
        let settings = RuntimeSettings(
            batchRows: chance.of([1, 7, 64]), flushIntervalMilliseconds: Int64(chance.of([0, 20, 300])),
            idleTimeoutMilliseconds: 1 << 40, stopTimeoutMilliseconds: 1 << 40,
            checkpointIntervalMilliseconds: Int64(chance.of([100, 400, 2000])))
        pipeline = Pipeline(
            Pipeline.Parts(
                domain: domain, settings: settings, deadLetters: DeadLetterSettings(), topicPrefix: "events",
                broker: BrokerConnection(process), schemas: NoSchemas(), sinkNatures: SimulatedDomain.sinkNatures,
                openSink: { Self.open($0, process) }, checkpointFolder: "/checkpoints", notify: { _ in }),
            options: RunOptions(untilIdle: endsWhenIdle, workers: chance.within(1...3)),
            host: process.host(fault: fault))
        process.note("begins, workers", pipeline.workerCount)
        let store = CheckpointStore(folder: "/checkpoints", files: SimulatedFiles(process: process))
        lock = try store.lock()
        let saved = try store.load()
        process.newest = saved.candidates.first
        round = try pipeline.openRound(
            store, lock, saved.candidates, lowestEpoch: saved.highestEpoch + 1, after: nil)
        process.checkEpoch()
        let parts = round.workers.count + 2
        weights = (0..<parts).map { _ in chance.of([1, 3, 10]) }
        hasEnded = Array(repeating: false, count: parts)
        watermarks = round.shared.watermarks.all
    }

    private static func open(_ name: String, _ process: SimulatedProcess) -> any Sink {
        switch name {
        case "versions": VersionedSink(name, process)
        case "archive": AppendSink(name, process)
        default: TransactionalSink(name, process)
        }
    }

    /// Nothing of it has ended yet.
    var isUnderWay: Bool { !hasEnded.contains(true) }

    func stop() {
        process.incident("stopped")
        pipeline.stop()
    }

    /// One part takes one step.
    func step() -> Step {
        let open = hasEnded.indices.filter { !hasEnded[$0] }
        guard !open.isEmpty else { return end() }
        var number = process.world.chance.below(open.reduce(0) { $0 + weights[$1] })
        let part =
            open.first {
                number -= weights[$0]
                return number < 0
            } ?? open[0]
        process.note("step of", part)
        let progress =
            switch part {
            case round.workers.count: round.sinks.step(waitingMilliseconds: 0)
            case round.workers.count + 1: round.coordinator.step()
            default: round.workers[part].step()
            }
        if process.isDead { return .killed }
        if progress == .ended { hasEnded[part] = true }
        let now = round.shared.watermarks.all
        if zip(now, watermarks).contains(where: { $0 < $1 }) {
            process.world.fail("a watermark went back from \(watermarks) to \(now)")
        }
        watermarks = now
        return .goesOn
    }

    private func end() -> Step {
        process.checkSinks()
        do {
            _ = try pipeline.finish(round)
            process.note("ended well")
            return .ended(hasSucceeded: true)
        } catch {
            process.incident("ended in failure")
            if !Self.isExpected(error) { process.world.fail("a run failed: \(error)") }
            return .ended(hasSucceeded: false)
        }
    }

    /// What the simulated world does to a run that is not the run's fault.
    static func isExpected(_ error: any Error) -> Bool {
        guard let error = error as? PipelineError else { return false }
        return error.code.id == DiagnosticCode.checkpointStorage.id || error.code.id == DiagnosticCode.writerReplaced.id
    }
}

/// What must hold at every step.
extension SimulatedProcess {
    /// Called when a run has taken its epoch.
    func checkEpoch() {
        if epoch <= world.highestEpoch { world.fail("a run took epoch \(epoch) after \(world.highestEpoch)") }
        world.highestEpoch = max(world.highestEpoch, epoch)
    }

    /// Called when a checkpoint has been put in place.
    func checkNewest(_ bytes: [UInt8]) {
        guard let checkpoint = try? Checkpoint(decoding: bytes) else {
            return world.fail("a checkpoint that was put in place cannot be read")
        }
        note("checkpoint", Int(checkpoint.sequence))
        defer { newest = checkpoint }
        if let before = newest { checkOrder(before, checkpoint) }
        // One that only notes where a run begins counts nothing new.
        guard checkpoint.sequence > 0, checkpoint.sequence != newest?.sequence else { return }
        for sink in world.plan.hasArchive ? ["primary", "versions", "archive"] : ["primary", "versions"] {
            guard let number = committed[sink], number >= checkpoint.number else {
                let reached = committed[sink]?.sequence ?? 0
                return world.fail(
                    "checkpoint \(checkpoint.sequence) counts rows that sink \(sink) has not committed: it is at \(reached)"
                )
            }
        }
    }

    private func checkOrder(_ before: Checkpoint, _ after: Checkpoint) {
        if after.sequence < before.sequence || after.epoch < before.epoch {
            world.fail("checkpoint \(after.number) follows \(before.number)")
        }
        for section in before.sections {
            guard let later = after.section(section.name, fingerprint: section.fingerprint) else { continue }
            for position in section.positions {
                guard let next = later.positions.first(where: { $0.partition == position.partition }) else {
                    world.fail("\(section.name) lost its position in \(position.partition)")
                    continue
                }
                if next.nextOffset < position.nextOffset || next.maxEventTime < position.maxEventTime {
                    world.fail("\(section.name) went back from \(position) to \(next)")
                }
            }
        }
    }
}
