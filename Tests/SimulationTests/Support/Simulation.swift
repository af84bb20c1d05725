import DataPath
import Diagnostics
import PlatformModel
import PluginAPI

@testable import StreamRuntime

/// One seed's story: events come, runs begin, are killed, paused, replaced and stopped, until the last one has read everything.
/// Everything happens on one thread, and all that is left to chance comes from the seed. Threads: one.
final class Simulation {
    /// What broke, and how the story went.
    struct Failure: Error, CustomStringConvertible {
        var seed: UInt64
        var what: String
        var trace: String

        var description: String {
            "seed \(seed): \(what)\nlast steps:\n\(trace)\nrepeat it with STREAMPLAT_SIM_SEED=\(seed)"
        }
    }

    struct Outcome {
        var traceHash: UInt64
        var steps: Int
        var processes = 0
        var kills = 0
        /// How often the rarer things happened.
        var incidents: [String: Int] = [:]
        var failure: Failure?
    }

    private let seed: UInt64
    private let fault: PlantedFault?
    private let world: World
    private let chance: Chance
    private let domain: DomainDefinition
    private var disk = SimulatedDisk()
    private var current: SimulatedRun?
    private var zombies: [SimulatedRun] = []
    private var processCount = 0
    private var killCount = 0
    private var zombieCount = 0

    private static let stepLimit = 200_000

    init(seed: UInt64, fault: PlantedFault? = nil) throws {
        self.seed = seed
        self.fault = fault
        world = World(seed: seed)
        chance = world.chance
        domain = world.plan.hasArchive ? try Self.whole.get() : try Self.withoutArchive.get()
    }

    private static let whole = Result { try domain(hasArchive: true) }
    private static let withoutArchive = Result { try domain(hasArchive: false) }

    private struct BadDomain: Error {}
    private static func domain(hasArchive: Bool) throws -> DomainDefinition {
        guard let domain = SimulatedDomain.make(hasArchive: hasArchive) else { throw BadDomain() }
        return domain
    }

    /// Plays the story to its end or to the first broken promise.
    func run() -> Outcome {
        if world.plan.isPrefilled { world.broker.take(.max / 2) }
        var steps = 0
        while world.failure == nil {
            steps += 1
            if steps > Self.stepLimit {
                world.fail("the story does not end")
                break
            }
            if step() { break }
        }
        if world.failure == nil { compareTables() }
        return Outcome(
            traceHash: world.trace.hash, steps: steps, processes: processCount, kills: killCount,
            incidents: world.incidents,
            failure: world.failure.map { Failure(seed: seed, what: $0, trace: world.trace.text) })
    }

    /// One thing happens; true when the story is over.
    private func step() -> Bool {
        world.now += Int64(chance.of([0, 1, 1, 3, 10, 40]))
        if !world.broker.hasAll, chance.happens(15) { world.broker.take(chance.within(1...8)) }
        if !zombies.isEmpty, chance.happens(10) {
            let index = chance.below(zombies.count)
            if zombies[index].step() != .goesOn { zombies.remove(at: index) }
            return false
        }
        guard let run = current else {
            begin()
            return false
        }
        if world.broker.hasAll, !run.endsWhenIdle, chance.happens(2) { run.stop() }
        if zombieCount < world.plan.zombies, chance.happens(1), run.isUnderWay {
            // It is paused; its successor is on another machine, which has a copy of the checkpoints.
            zombieCount += 1
            run.process.incident("paused")
            zombies.append(run)
            disk = disk.copy
            current = nil
            return false
        }
        switch run.step() {
        case .goesOn: return false
        case .killed:
            current = nil
            killCount += 1
            if chance.happens(30) {
                run.process.incident("power lost")
                disk.losePower(chance)
            }
            return false
        case .ended(let hasSucceeded):
            current = nil
            return hasSucceeded && run.endsWhenIdle && run.hadAllEvents
        }
    }

    private func begin() {
        processCount += 1
        let process = SimulatedProcess(processCount, world, disk)
        if killCount < world.plan.kills {
            process.callsLeft = chance.of([chance.below(20), chance.below(100), chance.below(600)])
        }
        do {
            current = try SimulatedRun(process, domain, fault: fault)
        } catch {
            if process.isDead {
                killCount += 1
                if chance.happens(30) { disk.losePower(chance) }
            } else {
                process.checkSinks()
                if !SimulatedRun.isExpected(error) { world.fail("a run cannot begin: \(error)") }
            }
        }
    }

    private func compareTables() {
        for (table, expected) in world.expected.tables.sorted(by: { $0.key < $1.key }) {
            guard let definition = tableSinks[table] else { continue }
            let found =
                switch definition {
                case "versions": world.versions.rows(table)
                case "archive": world.archive.rows(table)
                default: world.store.rows(table)
                }
            guard found != expected else { continue }
            let missing = Set(expected).subtracting(found).sorted()
            let extra = Set(found).subtracting(expected).sorted()
            let doubled = found.count - Set(found).count
            world.fail(
                "table \(table) is wrong: \(missing.count) rows missing \(missing.prefix(4)), \(extra.count) that must not be "
                    + "\(extra.prefix(4)), \(doubled) doubled, of \(expected.count)")
        }
        compareLate()
        let lost = lostLetters()
        if !lost.isEmpty { world.fail("bad records without a dead letter: \(lost.prefix(4))") }
    }

    /// The topic of late records must have each record that is late, at least once, and no other.
    private func compareLate() {
        var told: [String: Set<String>] = [:]
        for record in world.broker.partitions[SimulatedBroker.late] ?? [] {
            let aggregation = record.headers.first { $0.name.hasSuffix("aggregation") }?.value ?? []
            let id = String(decoding: record.value, as: UTF8.self).split(separator: "\"")[3]
            told[String(decoding: aggregation, as: UTF8.self), default: []].insert(String(id))
        }
        for table in ["tumbling", "visits"] {
            let (found, expected) = (told[table] ?? [], world.expected.late[table] ?? [])
            if found != expected {
                world.fail(
                    "late records of \(table): missing \(expected.subtracting(found).sorted().prefix(4)), not late "
                        + "\(found.subtracting(expected).sorted().prefix(4)), of \(expected.count)")
            }
        }
    }

    private var tableSinks: [String: String] {
        var sinks = ["click": "primary", "rich": "primary", "richest": "versions"]
        if world.plan.hasArchive { sinks["archived_rich"] = "archive" }
        for rule in ExpectedTables.rules where rule.sink != "archive" || world.plan.hasArchive {
            sinks[rule.name] = rule.sink
        }
        return sinks
    }

    /// Bad records that are not in the dead-letter topic, where each must be at least once.
    private func lostLetters() -> [String] {
        var told: Set<String> = []
        let block = RecordBlock()
        for record in world.broker.partitions[SimulatedBroker.letters] ?? [] {
            record.value.withUnsafeBytes {
                block.append(key: nil, value: $0, timestamp: 0, headers: record.headers)
            }
        }
        for entry in block.entries {
            if case .topic(let partition, let offset)? = DeadLetter.decode(entry, in: block)?.origin {
                told.insert("\(partition.topic) \(partition.partition) \(offset)")
            }
        }
        return world.history.events.filter(\.isBroken).map {
            "\($0.partition.topic) \($0.partition.partition) \($0.offset)"
        }.filter { !told.contains($0) }
    }
}
