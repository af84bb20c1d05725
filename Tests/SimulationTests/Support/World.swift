import Foundation
import Logging
import PluginAPI

@testable import StreamRuntime

/// What outlives every process of a simulation: time, chance, the broker, the stores. Everything in it is used from one
/// thread, which is what makes the unchecked conformances here right.
final class World: @unchecked Sendable {
    let chance: Chance
    let plan: Plan
    var trace = Trace()
    /// Milliseconds since the simulation began.
    var now: Int64 = 1000
    let broker: SimulatedBroker
    let store = TransactionalStore()
    let versions = VersionedStore()
    let archive = AppendStore()
    let expected: ExpectedTables
    let history: EventHistory
    /// The first broken promise.
    private(set) var failure: String?
    var highestEpoch: UInt64 = 0
    /// How often the rarer things happened.
    var incidents: [String: Int] = [:]

    init(seed: UInt64) {
        let chance = Chance(seed: seed)
        self.chance = chance
        plan = Plan(chance)
        history = EventHistory(plan, chance)
        expected = ExpectedTables(history)
        broker = SimulatedBroker(history)
    }

    func fail(_ what: @autoclosure () -> String) { if failure == nil { failure = what() } }
}

/// The kill of a simulated process.
struct Crash: Error {}

/// One process of a simulation: a run of the pipeline from its start to its end or its death.
final class SimulatedProcess: @unchecked Sendable {
    let number: Int
    let world: World
    let disk: SimulatedDisk
    /// Calls of the world until it is killed; nil = it lives.
    var callsLeft: Int?
    private(set) var isDead = false
    var epoch: UInt64 = 0
    /// Those that were neither closed nor let go.
    var openSinks = 0 {
        didSet { hasOpenedSinks = true }
    }
    private(set) var hasOpenedSinks = false
    /// Marks that each sink has committed.
    var committed: [String: CheckpointNumber] = [:]
    /// The checkpoint that it began with, or the newest one that it wrote.
    var newest: Checkpoint?
    /// Calls fail more often, for a reason that may pass.
    let failurePercent: Int

    init(_ number: Int, _ world: World, _ disk: SimulatedDisk) {
        self.number = number
        self.world = world
        self.disk = disk
        failurePercent = world.chance.happens(30) ? world.chance.within(1...25) : 0
    }

    func kill() { isDead = true }

    /// Called when a run has ended that was not killed.
    func checkSinks() {
        if openSinks != 0 { world.fail("a run left \(openSinks) sinks open") }
    }

    func note(_ what: StaticString, _ number: Int = 0) { world.trace.add(world.now, self.number, what, number) }

    /// Something that a story is told for.
    func incident(_ what: StaticString, _ number: Int = 0) {
        note(what, number)
        world.incidents["\(what)", default: 0] += 1
    }

    /// Every call of the outer world passes here; it is where a process may be killed.
    func call(_ what: StaticString, _ number: Int = 0) throws(Crash) {
        if isDead { throw Crash() }
        note(what, number)
        guard let left = callsLeft else { return }
        callsLeft = left - 1
        if left <= 0 {
            incident("killed")
            kill()
            throw Crash()
        }
    }

    func host(fault: PlantedFault?) -> RunHost {
        RunHost(
            clock: SimulatedClock(world: world), files: SimulatedFiles(process: self),
            random: { [world] in world.chance.bits() }, hasThreads: false,
            queueCapacity: world.chance.of([1, 2, 3, 8]), localEntryLimit: world.chance.of([0, 3, 12, 1 << 16]),
            longestChain: world.chance.of([1, 2, 5, 32]),
            logger: Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }, fault: fault)
    }
}

struct SimulatedClock: RunClock {
    let world: World
    var milliseconds: Int64 { world.now }
    /// Behind all events.
    var wallMilliseconds: Int64 { EventHistory.begin + 365 * 86_400_000 + world.now }
    func sleep(milliseconds: Int) { world.now += Int64(milliseconds) }

    func wait(on condition: NSCondition, milliseconds: Int) -> Bool {
        sleep(milliseconds: milliseconds)
        return false
    }
}
