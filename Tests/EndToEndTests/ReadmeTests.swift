import Foundation
import Testing

extension EndToEnd {
    /// The README does what it says.
    @Suite("README")
    struct ReadmeTests {
        private static func readme() throws -> [String] {
            try String(contentsOf: Requirements.packageRoot.appendingPathComponent("README.md"), encoding: .utf8)
                .components(separatedBy: "\n")
        }

        /// The indented block that begins with a line, without its indentation.
        private static func block(beginning start: String) throws -> String {
            let lines = try readme()
            let first = try #require(lines.firstIndex { $0.hasPrefix("    " + start) }, "the README has '\(start)'")
            return lines[first...].prefix { $0.hasPrefix("    ") }.map { $0.dropFirst(4) + "\n" }.joined()
        }

        /// Its lines that begin with `streamplat`, in order, without comments.
        private static func commands() throws -> [String] {
            try readme().filter { $0.hasPrefix("    streamplat ") }.map { line in
                String(line.dropFirst(4)).replacing(#/ {2,}#.*/#, with: "")
            }
        }

        /// Whether a command goes on until it is stopped, or for minutes.
        private static func isLong(_ command: String) -> Bool {
            command.hasPrefix("streamplat run") && !command.contains("--until-idle") || command.contains("--duration")
        }

        @Test("its commands run as they stand, one after the other; those without an end stop when they are told")
        func commands() async throws {
            let commands = try Self.commands()
            #expect(commands.count >= 8 && commands.contains { Self.isLong($0) })
            let project = try TestProject()
            let folder = URL(fileURLWithPath: Requirements.binary).deletingLastPathComponent().path
            for command in commands {
                // The quoting is the shell's; `exec` makes the signal reach the program.
                let child = try ChildProcess(
                    "/bin/sh", ["-c", "PATH=\"$0:$PATH\"; exec \(command)", folder], folder: project.folder)
                if Self.isLong(command) {
                    try await Task.sleep(for: .seconds(1))
                    #expect(child.isRunning, "\(command)")
                    child.send(SIGTERM)
                }
                let outcome = try await child.wait(limit: .seconds(120))
                #expect(outcome.code == 0, "\(outcome)")
                if command.contains("query") { #expect(outcome.output.count { $0 == "\n" } > 1, "\(outcome)") }
            }
        }

        @Test("its own domain runs, and the mistake that it shows is shown like this")
        func ownDomain() async throws {
            let project = try TestProject()
            let domain = try Self.block(beginning: "domain: shop")
            try project.write(domain, to: "domains/shop.yaml")
            try await project.streamplat("apply", "shop", "--yes")
            try await project.streamplat("generate", "shop", "--events", "2000")
            try await project.streamplat("run", "shop", "--until-idle", "--close-windows")
            let rows = try await project.streamplat(
                "query", "select count(*) > 0 as some from revenue_per_minute", "--domain", "shop", "--output", "csv")
            #expect(rows.output == "some\n1\n", "\(rows)")
            try project.edit("domains/shop.yaml", "field: amount", "field: amont")
            let refused = try await project.streamplat("validate", "shop", exit: 2)
            let shown = try Self.block(beginning: "domains/shop.yaml:")
            #expect(refused.errors.hasPrefix(shown), "\(refused)")
        }
    }
}
