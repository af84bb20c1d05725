import Foundation
import Testing

extension EndToEnd {
    /// A sink that never comes back.
    @Suite("Stuck sink")
    struct StuckSinkTests {
        @Test("a run whose output nobody reads ends within its stop_timeout, with exit code 1 and the reason")
        func stops() async throws {
            let project = try TestProject()
            try await project.streamplat("apply", "ecommerce", "--yes")
            try await project.streamplat(
                "generate", "ecommerce", "--events", "20000", "--seed", "7", "--start", "2024-05-06T08:00:00Z",
                "--span", "6h")
            // The shell, which becomes the program, holds both ends: the pipe fills up and no write of it returns.
            let line = """
                mkfifo nobody-reads && exec 3<>nobody-reads && exec "$0" "$@" >nobody-reads
                """
            let settings = [
                "sinks.primary.type=console", "runtime.stop_timeout=1s", "runtime.flush_interval=100ms",
                "runtime.checkpoint.interval=1h",
            ]
            let child = try ChildProcess(
                "/bin/bash",
                ["-c", line, Requirements.binary, "run", "ecommerce", "--close-windows", "--log-level", "debug"]
                    + settings.flatMap { ["--set", $0] }, folder: project.folder)
            let end = ContinuousClock.now + .seconds(60)
            while try !child.errorsSoFar.contains("rows written"), child.isRunning, ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(50))
            }
            child.send(SIGTERM)
            let outcome = try await child.wait(limit: .seconds(120))
            #expect(!outcome.isTimedOut && outcome.code == 1, "\(outcome)")
            #expect(outcome.errors.contains("SP6"), "\(outcome)")
            #expect(outcome.errors.contains("runtime.stop_timeout"), "\(outcome)")
        }
    }
}
