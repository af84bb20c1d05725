import Foundation
import Testing

extension EndToEnd {
    /// Real file systems that are full: a small one is mounted where a command writes.
    @Suite("A full disk")
    struct FullDiskTests {
        /// A file system in memory, mounted on a folder of a project until ``unmount()``.
        private final class SmallDisk {
            let path: String

            /// Nil, with the reason printed, where mounting is not permitted.
            init?(_ project: TestProject, _ folder: String, kibibytes: Int) async throws {
                path = project.path(folder)
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
                let mounted = try await ChildProcess(
                    "/bin/sh", ["-c", "exec mount -t tmpfs -o size=\(kibibytes)k streamplat-test \"$0\"", path],
                    folder: project.folder
                ).wait(limit: .seconds(20))
                if mounted.code != 0 {
                    print("skipped: no file system can be mounted here: \(mounted.errors)")
                    return nil
                }
            }

            func grow(_ project: TestProject) async throws {
                let grown = try await ChildProcess(
                    "/bin/sh", ["-c", "exec mount -o remount,size=256m \"$0\"", path], folder: project.folder
                ).wait(limit: .seconds(20))
                try #require(grown.code == 0, "\(grown)")
            }

            func unmount() {
                let unmount = Process()
                unmount.executableURL = URL(fileURLWithPath: "/bin/sh")
                unmount.arguments = ["-c", "exec umount -l \"$0\"", path]
                if (try? unmount.run()) != nil { unmount.waitUntilExit() }
            }
        }

        private static func generate(span: String = "1h") -> [String] {
            [
                "generate", "ecommerce", "--events", "20000", "--seed", "1", "--start", "2024-05-06T10:00:00Z",
                "--span", span,
            ]
        }

        /// What a full disk looks like from outside: one finding with a hint, exit code 1, no trace of a crash.
        private func expectFull(_ outcome: Outcome, _ code: String, _ words: String...) {
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.errors.contains("error[\(code)]") && outcome.errors.contains("hint:"), "\(outcome)")
            for word in words { #expect(outcome.errors.contains(word), "\(outcome)") }
        }

        /// A project with events that another log and database hold as well, for comparison.
        private func projects(span: String = "1h") async throws -> (tested: TestProject, undisturbed: TestProject) {
            let project = try TestProject()
            try await project.streamplat("apply", "ecommerce", "--yes")
            let generated = try await project.start(Self.generate(span: span)).wait(limit: .seconds(60))
            try #require(generated.code == 0, "\(generated)")
            let copy = try TestProject(copying: project)
            try await copy.streamplat("run", "ecommerce", "--until-idle", "--close-windows")
            return (project, copy)
        }

        @Test("generate: the log names the file and the reason, keeps whole batches, and takes events again")
        func log() async throws {
            let project = try TestProject()
            guard let disk = try await SmallDisk(project, ".streamplat/log", kibibytes: 2048) else { return }
            defer { disk.unmount() }
            try await project.streamplat("apply", "ecommerce", "--yes")
            let stream = ["--seed", "1", "--start", "2024-05-06T10:00:00Z", "--span", "1h"]
            let full = try await project.start(["generate", "ecommerce", "--events", "500000"] + stream)
                .wait(limit: .seconds(60))
            expectFull(full, "SP6003", ".streamplat/log/topics/events.", "No space left on device")
            let again = try await project.start(["generate", "ecommerce", "--events", "500000"] + stream)
                .wait(limit: .seconds(60))
            #expect(again.code == 1 && again.errors.contains("No space left on device"), "\(again)")

            try await disk.grow(project)
            try await project.streamplat(
                "generate", "ecommerce", "--events", "1000", "--event-type", "page_view", "--seed", "2", "--start",
                "2024-05-06T20:00:00Z", "--span", "30m")
            let run = try await project.streamplat("run", "ecommerce", "--until-idle", "--close-windows")
            #expect(run.output.contains(" 0 dead letters") && !run.errors.contains("torn"), "\(run)")
            let later = "select sum(count) as n from events_per_minute where window_start >= '2024-05-06 20'"
            let counted = try await project.streamplat("query", later, "--output", "csv")
            #expect(counted.output == "n\n1000\n", "\(counted)")
            // What was written before the disk was full is read as one and the same by other workers and batches.
            let one = try await project.dump()
            try await project.streamplat(
                "run", "ecommerce", "--until-idle", "--close-windows", "--from-earliest", "--workers", "1",
                "--batch-rows", "100")
            #expect(try await project.dump() == one)
        }

        @Test("generate --out: the message names the file, and no half file keeps its name")
        func file() async throws {
            let project = try TestProject()
            guard let disk = try await SmallDisk(project, "out", kibibytes: 1024) else { return }
            defer { disk.unmount() }
            let arguments = Self.generate() + ["--out", "out/events.ndjson"]
            let full = try await project.start(arguments).wait(limit: .seconds(60))
            #expect(full.code == 1 && full.errors.contains("No space left on device"), "\(full)")
            #expect(project.files("out").isEmpty, "\(project.files("out"))")
            try await disk.grow(project)
            let whole = try await project.start(arguments).wait(limit: .seconds(60))
            #expect(whole.code == 0, "\(whole)")
            #expect(try project.read("out/events.ndjson").count { $0 == UInt8(ascii: "\n") } == 20_000)
        }

        @Test("run with a full disk under its database: afterwards the tables are as they should be")
        func database() async throws {
            // The disk holds the empty tables; the rows of so many windows are several times as large.
            let (project, undisturbed) = try await projects(span: "12h")
            guard let disk = try await SmallDisk(project, "disk", kibibytes: 320) else { return }
            defer { disk.unmount() }
            let settings = ["sinks.primary.sqlite.path=disk/results.db"]
            try await project.streamplat("apply", "ecommerce", "--yes", settings: settings)
            let arguments =
                ["run", "ecommerce", "--until-idle", "--close-windows"] + settings.flatMap { ["--set", $0] }
            let full = try await project.start(arguments).wait(limit: .seconds(60))
            expectFull(full, "SP5002", "disk/results.db", "full")
            try await disk.grow(project)
            let rest = try await project.start(arguments).wait(limit: .seconds(60))
            #expect(rest.code == 0, "\(rest)")
            #expect(try await project.dump("disk/results.db") == (try await undisturbed.dump()))
        }

        @Test("run with a full disk under its checkpoints: afterwards the tables are as they should be")
        func checkpoints() async throws {
            let (project, undisturbed) = try await projects()
            guard let disk = try await SmallDisk(project, ".streamplat/checkpoints", kibibytes: 32) else { return }
            defer { disk.unmount() }
            let arguments = ["run", "ecommerce", "--until-idle", "--close-windows"]
            let full = try await project.start(arguments).wait(limit: .seconds(60))
            expectFull(full, "SP6103", ".streamplat/checkpoints", "No space left on device")
            try await disk.grow(project)
            try await project.streamplat("run", "ecommerce", "--until-idle", "--close-windows")
            #expect(try await project.dump() == (try await undisturbed.dump()))
        }

        @Test("run with a full disk under the files of its sink: the file ends with a whole row")
        func fileSink() async throws {
            let project = try TestProject()
            let settings = ["sinks.primary.type=file", "sinks.primary.file.path=disk"]
            guard let disk = try await SmallDisk(project, "disk", kibibytes: 96) else { return }
            defer { disk.unmount() }
            try await project.streamplat("apply", "ecommerce", "--yes", settings: settings)
            let generated = try await project.start(Self.generate()).wait(limit: .seconds(60))
            try #require(generated.code == 0, "\(generated)")
            let arguments =
                ["run", "ecommerce", "--until-idle", "--close-windows"] + settings.flatMap { ["--set", $0] }
            let full = try await project.start(arguments).wait(limit: .seconds(60))
            expectFull(full, "SP5002", "disk/", "No space left on device")
            for name in project.files("disk", suffix: ".ndjson") {
                let bytes = try project.read("disk/\(name)")
                #expect(bytes.isEmpty || bytes.last == UInt8(ascii: "\n"), "\(name) ends with a whole row")
            }
            try await disk.grow(project)
            let rest = try await project.start(arguments).wait(limit: .seconds(60))
            #expect(rest.code == 0, "\(rest)")
        }
    }
}
