import Foundation
import Testing

extension EndToEnd {
    /// Commands that only look leave every file as it is.
    @Suite("Looking changes nothing")
    struct InspectTests {
        /// Commands that only look, with the exit code in a project that was never applied and a part of what they say.
        static let looks: [(arguments: [String], code: Int32, says: String)] = [
            (["plan", "ecommerce"], 0, "+ table revenue_per_hour"),
            (["plan", "ecommerce"], 0, "+ topic events.purchase"),
            (["plan", "ecommerce"], 0, "+ schema events.purchase-value"),
            (["plan", "ecommerce", "--set", "sinks.primary.type=file"], 0, "+ table revenue_per_hour"),
            (["plan", "ecommerce", "--set", "sinks.primary.type=console"], 0, "+ topic events.purchase"),
            (["health"], 0, "sqlite"), (["query"], 3, "streamplat apply"),
            (["query", "select 1"], 3, "streamplat apply"),
            (["validate", "ecommerce"], 0, "is valid"), (["schema"], 0, "purchase"), (["config", "show"], 0, "broker"),
            (["generate", "ecommerce", "--events", "10", "--dry-run"], 0, "event time"),
        ]

        private func check(_ project: TestProject, asNobody: Bool) async throws {
            for look in Self.looks {
                let before = try project.snapshot()
                let outcome =
                    asNobody
                    ? try await project.asNobody(look.arguments)
                    : try await project.start(look.arguments).wait(limit: .seconds(60))
                guard let outcome else { return }
                #expect(outcome.code == look.code, "\(outcome)")
                #expect((outcome.output + outcome.errors).contains(look.says), "\(outcome)")
                let changes = TestProject.changes(from: before, to: try project.snapshot())
                #expect(changes.isEmpty, "\(changes)\n\(outcome)")
            }
        }

        @Test("in a project that was never applied: no log, no database, no folder of files")
        func neverApplied() async throws {
            try await check(try TestProject(isOpen: true), asNobody: false)
        }

        @Test("in a project that may not be written to")
        func readOnly() async throws {
            let project = try TestProject(isOpen: true)
            // The program is copied before the project is closed.
            _ = try await project.asNobody(["--version"])
            try project.setReadOnly(true)
            defer { try? project.setReadOnly(false) }
            try await check(project, asNobody: true)
        }

        @Test("in a project with results, also one that may not be written to", arguments: [false, true])
        func withResults(isReadOnly: Bool) async throws {
            let project = try TestProject(isOpen: true)
            try await project.streamplat("apply", "ecommerce", "--yes")
            try await project.streamplat("generate", "ecommerce", "--events", "2000", "--span", "1h")
            try await project.streamplat("run", "ecommerce", "--until-idle", "--close-windows")
            if isReadOnly {
                _ = try await project.asNobody(["--version"])
                try project.setReadOnly(true)
            }
            defer { try? project.setReadOnly(false) }
            let before = try project.snapshot()
            for (arguments, says) in [
                (["plan", "ecommerce"], "nothing differs"), (["query"], "events_per_minute"),
                (["query", "select count(*) > 0 as some from events_per_minute", "--output", "csv"], "some\n1\n"),
            ] {
                guard
                    let outcome = isReadOnly
                        ? try await project.asNobody(arguments)
                        : try await project.start(arguments).wait(limit: .seconds(60))
                else { return }
                #expect(outcome.code == 0 && outcome.output.contains(says), "\(outcome)")
                let changes = TestProject.changes(from: before, to: try project.snapshot())
                #expect(changes.isEmpty, "\(changes)\n\(outcome)")
            }
        }
    }
}
