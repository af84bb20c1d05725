import Foundation
import Testing

extension EndToEnd {
    /// `streamplat registry` as a process of its own, with the plugin `confluent` in front of it.
    @Suite("The schema registry as a server")
    struct RegistryTests {
        @Test("A domain runs on it, an incompatible schema is refused with its field, and it stops cleanly")
        func registry() async throws {
            let project = try TestProject()
            let server = try ChildProcess(
                "/bin/sh",
                ["-c", "exec \"$0\" \"$@\" >registry.txt", Requirements.binary, "registry", "--port", "0"],
                folder: project.folder)
            let url = try await address(project)
            let settings = ["schema_registry.type=confluent", "schema_registry.confluent.urls=\(url)"]

            try await project.streamplat("apply", "ecommerce", "--yes", settings: settings)
            try await project.streamplat(
                "generate", "ecommerce", "--events", "2000", "--seed", "1", "--start", "2024-05-06", "--span", "1h",
                settings: settings)
            try await project.streamplat("run", "ecommerce", "--until-idle", settings: settings)
            let second = try await project.streamplat("plan", "ecommerce", settings: settings)
            #expect(second.output.contains("nothing differs"), "\(second)")

            let level = try await project.start(
                ["plan", "ecommerce"]
                    + (settings + ["schemas.compatibility=FULL"]).flatMap { ["--set", $0] }
            ).wait(limit: .seconds(60))
            #expect(level.output.contains("compatibility BACKWARD → FULL"), "\(level)")

            try project.edit(
                "domains/ecommerce.yaml", "metrics: [{ name: result_count, type: int }]",
                "metrics: [{ name: result_count, type: boolean }]")
            let refused = try await project.start(
                ["apply", "ecommerce", "--yes"] + settings.flatMap { ["--set", $0] }
            ).wait(limit: .seconds(60))
            #expect(refused.code == 1, "\(refused)")
            #expect(refused.errors.contains("SP5005") && refused.errors.contains("field 'result_count'"), "\(refused)")

            server.send(SIGTERM)
            let outcome = try await server.wait(limit: .seconds(10))
            #expect(outcome.code == 0, "\(outcome)")
            let away = try await project.start(["plan", "ecommerce"] + settings.flatMap { ["--set", $0] })
                .wait(limit: .seconds(60))
            #expect(away.code == 3 && away.errors.contains("SP4300"), "\(away)")
        }

        /// What the server printed: it listens by then.
        private func address(_ project: TestProject) async throws -> String {
            for _ in 0..<1000 {
                let text = (try? project.read("registry.txt")).map { String(decoding: $0, as: UTF8.self) } ?? ""
                if text.hasSuffix("\n"), let match = text.firstMatch(of: /http:\/\/[0-9.:]+/) {
                    return String(match.output)
                }
                try await Task.sleep(for: .milliseconds(10))
            }
            throw Requirements.Missing(description: "the registry did not say where it listens")
        }
    }
}
