import Foundation
import Testing

extension EndToEnd {
    /// `--output`: every command prints what was asked for, or says that it cannot.
    @Suite("Output formats")
    struct OutputFormatTests {
        struct Command: Sendable, CustomTestStringConvertible {
            var name: String
            /// With these it succeeds in an applied project that has events.
            var arguments: [String]
            var formats: [String]
            var testDescription: String { ([name] + arguments).joined(separator: " ") }

            init(_ name: String, _ arguments: [String] = [], _ formats: String...) {
                self.name = name
                self.arguments = arguments
                self.formats = formats
            }
        }

        static let commands = [
            Command("validate", ["ecommerce"], "text", "json"), Command("schema", ["purchase"], "text", "json"),
            Command("schema", [], "text", "json"), Command("schema", ["--check"], "text", "json"),
            Command("schema", ["--write"], "text", "json"), Command("config show", ["ecommerce"], "text", "json"),
            Command("config explain", ["sinks.primary.type"], "text", "json"),
            Command("plugins", [], "text", "json", "csv"), Command("plugins", ["sqlite"], "text", "json", "csv"),
            Command("health", [], "text", "json", "csv"), Command("plan", ["ecommerce"], "text", "json"),
            Command("apply", ["ecommerce", "--yes"], "text", "json"),
            Command("generate", ["ecommerce", "--events", "10"], "text", "json"),
            Command("ingest", ["search", "search.ndjson"], "text", "json"),
            Command("run", ["ecommerce", "--until-idle"], "text", "json"),
            Command("query", [], "text", "json", "csv"),
            Command("dlq list", ["ecommerce"], "text", "json", "csv"),
            Command("dlq show", ["ecommerce"], "text", "json", "csv"),
            Command("dlq replay", ["ecommerce", "--dry-run"], "text", "json"),
            Command("query", ["select count(*) as n, 'a,b' as t from revenue_per_hour"], "text", "json", "csv"),
        ]

        @Test("each command prints a format or refuses it, saying which ones it has", arguments: commands)
        func formats(_ command: Command) async throws {
            let project = try TestProject()
            try await project.streamplat("apply", "ecommerce", "--yes")
            try await project.streamplat(
                "generate", "ecommerce", "--events", "200", "--event-type", "search", "--out", "search.ndjson")
            try await project.streamplat("generate", "ecommerce", "--events", "200", "--quiet")
            if command.name.hasPrefix("dlq") {
                try project.write("{\n", to: "bad.ndjson")
                try await project.streamplat("ingest", "search", "bad.ndjson", "--allow-bad")
            }
            for format in ["text", "json", "csv"] {
                let before = project.files(".")
                let arguments = command.name.split(separator: " ").map(String.init) + command.arguments
                let outcome = try await project.start(arguments + ["--output", format]).wait(limit: .seconds(60))
                guard command.formats.contains(format) else {
                    #expect(outcome.code == 2 && outcome.output.isEmpty, "\(outcome)")
                    #expect(outcome.errors.contains("SP5010") && outcome.errors.contains(format), "\(outcome)")
                    for known in command.formats { #expect(outcome.errors.contains(known), "\(outcome)") }
                    #expect(project.files(".") == before, "refused before anything was done")
                    continue
                }
                #expect(outcome.code == 0 && !outcome.output.isEmpty, "\(outcome)")
                switch format {
                case "json":
                    #expect(throws: Never.self, "one JSON document: \(outcome)") {
                        try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
                    }
                case "csv":
                    let lines = outcome.output.split(separator: "\n", omittingEmptySubsequences: false)
                    #expect(lines.count >= 3 && lines[0].contains(",") && lines.last == "", "\(outcome)")
                default: break
                }
            }
        }

        @Test("no command is missing above")
        func complete() async throws {
            let project = try TestProject()
            let outcome = try await project.streamplat("--experimental-dump-help")
            let help = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
            let root = try #require(help?["command"] as? [String: Any])
            func leaves(_ command: [String: Any], _ path: [String]) -> [String] {
                let inner = (command["subcommands"] as? [[String: Any]] ?? []).filter {
                    $0["commandName"] as? String != "help"
                }
                if inner.isEmpty { return [path.joined(separator: " ")] }
                return inner.flatMap { leaves($0, path + [$0["commandName"] as? String ?? "?"]) }
            }
            // The registry prints one line and serves until it is stopped.
            #expect(Set(leaves(root, [])) == Set(Self.commands.map(\.name) + ["registry"]))
        }

        @Test("query --chart with a format for programs is refused", arguments: ["json", "csv"])
        func chart(_ format: String) async throws {
            let project = try TestProject()
            let outcome = try await project.streamplat(
                "query", "select 'a' as name, 1 as n", "--chart", "n", "--output", format, exit: 2)
            #expect(outcome.output.isEmpty && outcome.errors.contains("--chart"), "\(outcome)")
        }

        @Test("the registry has no format for programs", arguments: ["json", "csv"])
        func registry(_ format: String) async throws {
            let project = try TestProject()
            let outcome = try await project.streamplat("registry", "--port", "0", "--output", format, exit: 2)
            #expect(outcome.output.isEmpty && outcome.errors.contains("SP5010"), "\(outcome)")
        }

        @Test("an unknown format is refused by name, and the known ones are listed")
        func unknown() async throws {
            let project = try TestProject()
            let outcome = try await project.streamplat("plan", "ecommerce", "--output", "xml", exit: 2)
            for word in ["xml", "text", "json", "csv"] { #expect(outcome.errors.contains(word), "\(outcome)") }
        }
    }
}
