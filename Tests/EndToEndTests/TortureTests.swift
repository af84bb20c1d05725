import Foundation
import Testing

extension EndToEnd {
    /// Everything is killed, at random moments and at every named step; the tables at the end are those of a run that
    /// nobody disturbed. `make torture` does it for longer.
    @Suite("Torture")
    struct TortureTests {
        @Test(
            "Kills of runner, generator and sink server: every store ends with the undisturbed run's rows",
            arguments: TortureStore.chosen)
        func kills(_ store: TortureStore) async throws {
            let torture = try await Torture(store)
            for step in try torture.stepsToKillAt() {
                try torture.keepGenerating()
                try await killAtStep(torture, step)
            }
            try torture.keepGenerating()
            try await fillDisk(torture)
            for _ in 0..<Torture.kills {
                try torture.keepGenerating()
                switch torture.number(0...10) {
                case 0: try await torture.killGenerator()
                case 10: try await fillDisk(torture)
                case 1...2 where store == .kafka: try await pauseServer(torture)
                case 1...2 where torture.servers != nil: try await crashServer(torture)
                case 1...4: try await killAtStep(torture, torture.pick(Torture.steps))
                default:
                    let run = try torture.startRun()
                    // Some are killed while they begin.
                    if torture.number(0...4) > 0 { try await run.waitForErrors("run started") }
                    let moment = torture.number(5...800)
                    try await Task.sleep(for: .milliseconds(moment))
                    torture.note("killed after \(moment) ms")
                    run.send(SIGKILL)
                    let outcome = try await run.wait(limit: .seconds(30))
                    #expect(outcome.code == 128 + SIGKILL, "\(torture.history)\n\(outcome)")
                }
            }
            try await torture.judge()
        }

        private func killAtStep(_ torture: Torture, _ step: String) async throws {
            let run = try torture.startRun(kill: "\(step):\(torture.number(1...6))")
            // A sink that gets final rows only comes to its steps when windows close: while events come.
            let end = ContinuousClock.now + .seconds(60)
            while run.isRunning, ContinuousClock.now < end {
                try torture.keepGenerating()
                try await Task.sleep(for: .milliseconds(20))
            }
            let outcome = try await run.wait(limit: .seconds(60))
            #expect(outcome.code == 128 + SIGKILL && !outcome.isTimedOut, "\(torture.history)\n\(outcome)")
        }

        /// A run finds no room for its checkpoints and, on this machine, its rows: it ends and says so. When what it has
        /// is enough, it is killed.
        private func fillDisk(_ torture: Torture) async throws {
            let run = try torture.startRun(fileKibibytes: try torture.pick([4, 16, 64, 256, 1024]))
            let end = ContinuousClock.now + .seconds(2)
            while run.isRunning, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(10)) }
            run.send(SIGKILL)
            let outcome = try await run.wait(limit: .seconds(60))
            if outcome.code == 128 + SIGKILL { return }
            torture.note("no room")
            #expect([1, 3].contains(outcome.code), "\(torture.history)\n\(outcome)")
            let isSaid = ["File too large", "disk I/O error", "full"].contains { outcome.errors.contains($0) }
            #expect(isSaid && outcome.errors.contains("error[SP"), "\(torture.history)\n\(outcome)")
        }

        /// The server goes away under a run, which outlives it, goes on, and stops in good order.
        private func crashServer(_ torture: Torture) async throws {
            guard let servers = torture.servers, let name = torture.store.server else { return }
            let run = try torture.startRun()
            try await run.waitForErrors("run started")
            try await Task.sleep(for: .milliseconds(torture.number(0...500)))
            torture.note("server killed")
            try await servers.crash(name)
            try await Task.sleep(for: .milliseconds(torture.number(100...1000)))
            let said = try run.errorsSoFar
            #expect(run.isRunning, "\(torture.history)\n\(said)")
            run.send(torture.number(0...1) == 0 ? SIGKILL : SIGTERM)
            let outcome = try await run.wait(limit: .seconds(60))
            #expect([0, 128 + SIGKILL].contains(outcome.code), "\(torture.history)\n\(outcome)")
        }

        /// The server goes silent under a run, which goes on when it answers again. It is not killed: the stand-in for Kafka
        /// forgets what it has acknowledged then (docs/tested-against.md).
        private func pauseServer(_ torture: Torture) async throws {
            guard let servers = torture.servers, let name = torture.store.server else { return }
            let run = try torture.startRun()
            try await run.waitForErrors("run started")
            try await Task.sleep(for: .milliseconds(torture.number(0...500)))
            let pause = torture.number(100...2500)
            torture.note("server silent for \(pause) ms")
            try servers.signal(name, SIGSTOP)
            try await Task.sleep(for: .milliseconds(pause))
            try servers.signal(name, SIGCONT)
            try await Task.sleep(for: .milliseconds(torture.number(0...500)))
            #expect(run.isRunning, "\(torture.history)")
            run.send(torture.number(0...1) == 0 ? SIGKILL : SIGTERM)
            let outcome = try await run.wait(limit: .seconds(60))
            #expect([0, 128 + SIGKILL].contains(outcome.code), "\(torture.history)\n\(outcome)")
        }

        @Test(
            "A run that was paused, replaced by one with another checkpoint folder, and goes on cannot write any more",
            arguments: [TortureStore.sqlite, .postgresql, .clickhouse])
        func zombie(_ store: TortureStore) async throws {
            let torture = try await Torture(store)
            for round in 0..<max(1, Torture.kills / 20) {
                try torture.keepGenerating()
                let folders = ["a", "b"].map { ".streamplat/\($0)-\(round)" }
                let places = folders.map { ["runtime.checkpoint.path=\($0)"] }
                let zombie = try torture.startRun(settings: places[0])
                try await waitForCheckpoint(folders[0], torture)
                try await Task.sleep(for: .milliseconds(torture.number(0...400)))
                zombie.send(SIGSTOP)
                torture.note("paused")
                let successor = try torture.startRun(settings: places[1])
                // With SQLite a run that was paused within a transaction keeps the lock: its successor waits for it.
                try await waitForCheckpoint(folders[1], torture, atMost: .seconds(3))
                try torture.keepGenerating()
                zombie.send(SIGCONT)
                torture.note("continued")
                let outcome = try await zombie.wait(limit: .seconds(60))
                #expect(
                    outcome.code == 1 && outcome.errors.contains("SP6200") && outcome.errors.contains("took over"),
                    "\(torture.history)\n\(outcome)")
                try await waitForCheckpoint(folders[1], torture)
                #expect(successor.isRunning)
                successor.send(SIGKILL)
                _ = try await successor.wait(limit: .seconds(30))
            }
            try await torture.judge(settings: ["runtime.checkpoint.path=.streamplat/a-0"])
        }

        private func waitForCheckpoint(_ folder: String, _ torture: Torture, atMost limit: Duration? = nil) async throws
        {
            let end = ContinuousClock.now + (limit ?? .seconds(60))
            // The first one is written before the first row, the one after it makes it the one before.
            while !torture.project.files(folder).contains(where: { $0.hasSuffix("/checkpoint.previous") }) {
                guard ContinuousClock.now < end else {
                    if limit == nil { Issue.record("no checkpoint in \(folder): \(torture.history)") }
                    return
                }
                try await Task.sleep(for: .milliseconds(10))
            }
        }

        @Test("A paused run keeps its checkpoints' lock; when it is killed, another goes on")
        func pausedWithLock() async throws {
            let torture = try await Torture(.sqlite)
            try torture.keepGenerating()
            let paused = try torture.startRun()
            try await waitForCheckpoint(".streamplat/checkpoints", torture)
            paused.send(SIGSTOP)
            let refused = try await torture.startRun().wait(limit: .seconds(60))
            #expect(refused.code == 1 && refused.errors.contains("SP6101"), "\(refused)")
            paused.send(SIGKILL)
            _ = try await paused.wait(limit: .seconds(30))
            try await torture.judge()
        }

        @Test(
            "A store that an older copy was put back for is not gone on with, in words, and is filled anew",
            arguments: [TortureStore.sqlite, .postgresql, .clickhouse])
        func restoredBackup(_ store: TortureStore) async throws {
            let torture = try await Torture(store)
            try torture.keepGenerating()
            for round in 0..<2 {
                let run = try torture.startRun()
                let folder = ".streamplat/checkpoints"
                let before = newestCheckpoint(torture)
                var now = before
                while run.isRunning, now == nil || now == before {
                    try await Task.sleep(for: .milliseconds(10))
                    now = newestCheckpoint(torture)
                }
                try await waitForCheckpoint(folder, torture)
                try await Task.sleep(for: .milliseconds(400))
                run.send(SIGTERM)
                let outcome = try await run.wait(limit: .seconds(60))
                #expect(outcome.code == 0, "\(outcome)")
                if round == 0 { try await torture.copyStore() }
            }
            try await torture.putBackStore()
            let refused = try await torture.startRun().wait(limit: .seconds(60))
            #expect(
                refused.code == 1 && refused.errors.contains("SP6201") && refused.errors.contains("--from-earliest"),
                "\(refused)")
            try await torture.command(["run", "pulse", "--until-idle", "--from-earliest"])
            try await torture.judge()
        }

        /// Nil when there is none, also for the moment between its two renames.
        private func newestCheckpoint(_ torture: Torture) -> Data? {
            let folder = ".streamplat/checkpoints"
            return torture.project.files(folder).first { $0.hasSuffix("/checkpoint") }
                .flatMap { FileManager.default.contents(atPath: torture.project.path("\(folder)/\($0)")) }
        }
    }
}
