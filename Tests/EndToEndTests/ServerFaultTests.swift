import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// Servers that are not there, slow, broken or not what they should be.
    @Suite("Faults of servers")
    struct ServerFaultTests {
        /// Message, place, cause and hint; exit code 3; within its time limit.
        private func check(
            _ arguments: [String], _ part: FaultyPart, _ fault: ServerFault, port: Int, _ project: TestProject
        ) async throws {
            let outcome = try await project.start(
                arguments + ["--environment", "faulty"], environment: ["FAULTY": "\(port)"]
            ).wait(limit: .seconds(60))
            #expect(outcome.code == 3 && !outcome.isTimedOut, "\(outcome)")
            let said = outcome.output + outcome.errors
            #expect(said.contains("127.0.0.1") && said.contains("\(port)"), "which server: \(outcome)")
            #expect(said.contains(part.setting), "which setting, and where: \(outcome)")
            #expect(fault.causes.contains { said.lowercased().contains($0.lowercased()) }, "why: \(outcome)")
            #expect(said.contains("hint: "), "what to do: \(outcome)")
            #expect(!said.contains("WARNING"), "said once: \(outcome)")
            #expect(!said.contains("canary"), "\(outcome)")
            #expect(project.files(".streamplat/results.db").isEmpty)
        }

        @Test(
            "A command that cannot open a server says which, where it is set, why and what to do, and ends with 3",
            arguments: FaultyPart.allCases, ServerFault.allCases)
        func cannotBeOpened(_ part: FaultyPart, _ fault: ServerFault) async throws {
            let project = try TestProject()
            try project.write(part.environment, to: "environments/faulty.yaml")
            // For a port that nobody listens at: one that is free, and not asked for by others in the meantime.
            let server = try fault.server(insteadOf: part)
            let reserved = try Prometheus.occupiedPort()
            if server == nil { try reserved.socket.close() }
            let port = server?.port ?? reserved.port
            for command in fault == .down ? part.commands : Array(part.commands.prefix(1)) {
                try await check(command, part, fault, port: port, project)
            }
            withExtendedLifetime((server, reserved)) {}
        }

        @Test("Credentials that are refused are named by their settings, not shown, and the command ends with 3")
        func refusedCredentials() async throws {
            let servers = try await RealServers()
            let project = try TestProject()
            let wrong = "canary-5f1d7a"
            let denying = try FixedAnswerServer(
                answer: Array(
                    "HTTP/1.1 401 Unauthorized\r\nContent-Length: 46\r\n\r\n{\"error_code\":40101,\"message\":\"Unauthorized\"}  "
                        .utf8))
            let sasl = ["security_protocol=sasl_plaintext", "username=somebody", "password=\(wrong)"]
            let cases: [(setting: String, settings: [String])] = [
                ("sinks.primary.clickhouse.password", ["sinks.primary.clickhouse.password=\(wrong)"]),
                (
                    "sinks.primary.postgresql.password",
                    ["sinks.primary.type=postgresql", "sinks.primary.postgresql.password=\(wrong)"]
                ),
                ("secrets.vault.token", ["secrets.vault.token=\(wrong)"]),
                (
                    "secrets.vault.secret_id",
                    ["token=null", "auth=approle", "role_id=somebody", "secret_id=\(wrong)"].map {
                        "secrets.vault.\($0)"
                    }
                ),
                ("broker.kafka.password", sasl.map { "broker.kafka.\($0)" }),
                (
                    "schema_registry.confluent.token",
                    ["urls=[\"http://127.0.0.1:\(denying.port)\"]", "token=\(wrong)"].map {
                        "schema_registry.confluent.\($0)"
                    }
                ),
                (
                    "schema_registry.confluent.password",
                    ["urls=[\"http://127.0.0.1:\(denying.port)\"]", "username=somebody", "password=\(wrong)"].map {
                        "schema_registry.confluent.\($0)"
                    }
                ),
            ]
            for (index, (setting, settings)) in cases.enumerated() {
                let format = index % 2 == 0 ? "text" : "json"
                let outcome = try await project.start(
                    ["apply", "ecommerce", "--yes", "--output", format]
                        + (settings + ["monitoring.log.level=debug"]).flatMap { ["--set", $0] },
                    environment: servers.environment
                ).wait(limit: .seconds(60))
                #expect(outcome.code == 3 && !outcome.isTimedOut, "\(setting): \(outcome)")
                #expect(outcome.errors.contains("\(setting) is set here"), "\(outcome)")
                #expect(outcome.errors.contains("hint"), "\(outcome)")
                for form in SecretLeakTests.forms(of: wrong) {
                    #expect(!(outcome.output + outcome.errors).contains(form), "\(setting): \(outcome)")
                }
            }
        }
    }
}
