import Testing

@testable import StreamRuntime

@Suite("The opening of a simulated run")
struct OpeningTests {
    @Test("wherever it fails before its first row, every sink that is open is let go once")
    func failures() throws {
        var failedWithSinks = 0
        for calls in 0..<1000 {
            let world = World(seed: 3)
            let domain = try #require(SimulatedDomain.make(hasArchive: world.plan.hasArchive))
            let process = SimulatedProcess(1, world, SimulatedDisk())
            process.callsLeft = calls
            do {
                let run = try SimulatedRun(process, domain, fault: nil)
                #expect(process.openSinks > 1)
                #expect(failedWithSinks > 5)
                withExtendedLifetime(run) {}
                return
            } catch {
                // Only of what was planned: no call of it comes back any more.
                try #require(process.isDead, "call \(calls): \(error)")
            }
            try #require(world.failure == nil, "call \(calls)")
            try #require(process.openSinks == 0, "call \(calls)")
            if process.hasOpenedSinks { failedWithSinks += 1 }
        }
        Issue.record("no run begins")
    }
}
