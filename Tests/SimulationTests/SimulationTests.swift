import Foundation
import Testing

@testable import StreamRuntime

@Suite("Simulated runs")
struct SimulationTests {
    /// How many seeds a run of the tests plays: those of a debug build, also under a sanitizer, take ten times as long.
    private static var seedCount: Int {
        #if DEBUG
            let usual = 100
        #else
            let usual = 1000
        #endif
        return ProcessInfo.processInfo.environment["STREAMPLAT_SIM_SEEDS"].flatMap { Int($0) } ?? usual
    }

    /// The one seed that is asked for.
    private static var onlySeed: UInt64? {
        ProcessInfo.processInfo.environment["STREAMPLAT_SIM_SEED"].flatMap { UInt64($0) }
    }

    @Test("the tables are right and no promise is broken on the way, seed by seed", arguments: 0..<2)
    func seeds(_ part: Int) throws {
        if let seed = Self.onlySeed {
            guard part == 0 else { return }
            let outcome = try Simulation(seed: seed).run()
            print("seed \(seed): \(outcome.steps) steps, trace \(String(outcome.traceHash, radix: 16))")
            if let failure = outcome.failure { Issue.record(failure) }
            return
        }
        let begin = Date()
        var (steps, processes, kills, failures) = (0, 0, 0, 0)
        for seed in stride(from: part, to: Self.seedCount, by: 2) {
            let outcome = try Simulation(seed: UInt64(seed)).run()
            steps += outcome.steps
            processes += outcome.processes
            kills += outcome.kills
            if let failure = outcome.failure {
                Issue.record(failure)
                failures += 1
                // A few tell as much as all.
                if failures == 3 { return }
            }
        }
        let seconds = String(format: "%.1f", Date().timeIntervalSince(begin))
        print(
            "simulation, part \(part): \(Self.seedCount / 2) seeds, \(steps) steps, \(processes) runs, \(kills) kills, \(seconds) s"
        )
    }

    @Test("a seed tells the same story twice", arguments: [1, 17, 99] as [UInt64])
    func repeats(_ seed: UInt64) throws {
        let (first, second) = (try Simulation(seed: seed).run(), try Simulation(seed: seed).run())
        #expect(first.traceHash == second.traceHash)
        #expect(first.steps == second.steps)
    }

    @Test("the stories hold what they are for")
    func incidents() throws {
        var incidents: [String: Int] = [:]
        for seed in 0..<UInt64(60) {
            incidents.merge(try Simulation(seed: seed).run().incidents) { $0 + $1 }
        }
        for what in [
            "killed", "power lost", "disk full", "paused", "replaced", "stopped", "sink away", "answer lost",
            "leader away",
            "reads again", "ended in failure",
        ] {
            #expect(incidents[what] ?? 0 > 0, "\(what) did not happen")
        }
    }

    @Test("every planted fault is found", arguments: PlantedFault.allCases)
    func finds(_ fault: PlantedFault) throws {
        for seed in 0..<UInt64(1000) {
            guard let failure = try Simulation(seed: seed, fault: fault).run().failure else { continue }
            print("\(fault.rawValue): seed \(seed): \(failure.what)")
            return
        }
        Issue.record("no seed finds \(fault)")
    }
}
