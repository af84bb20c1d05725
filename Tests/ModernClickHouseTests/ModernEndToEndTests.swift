import Foundation
import TestServers
import Testing

extension Modern {
    /// The program, from events to a query, with the sink on the engine of today. The embedded run is what it is held against.
    @Suite("end to end")
    struct ModernEndToEndTests {
        private static let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        private static let environment = ProcessInfo.processInfo.environment
        private static let program =
            environment["STREAMPLAT_BIN"]
            ?? URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("streamplat").path
        private static let tables = root.appendingPathComponent("Tests/EndToEndTests/Scripts/server_tables.py").path

        @Test(
            "a shipped domain gives the embedded run's rows",
            arguments: [("ecommerce", "top_products_viewed"), ("logistics", "scan")])
        func domain(_ domain: String, _ table: String) throws {
            let (server, database) = try Modern.database()
            let folder = try LocalServer.temporaryFolder("modern-project")
            for part in ["config", "environments", "domains"] {
                try FileManager.default.copyItem(
                    at: Self.root.appendingPathComponent(part), to: folder.appendingPathComponent(part))
            }
            // Secrets come from the file .env.
            try Data("CLICKHOUSE_PASSWORD=\(server.password)\n".utf8).write(to: folder.appendingPathComponent(".env"))
            func streamplat(_ arguments: [String], _ settings: [String] = []) throws -> String {
                try LocalServer.run(Self.program, arguments + settings.flatMap { ["--set", $0] }, in: folder)
            }
            func python(_ arguments: [String]) throws -> String {
                try LocalServer.run(
                    Self.environment["STREAMPLAT_PYTHON"] ?? "/usr/bin/python3", [Self.tables] + arguments, in: folder,
                    environment: ["SERVER_PASSWORD": server.password, "PYTHONDONTWRITEBYTECODE": "1"])
            }
            _ = try streamplat(["apply", domain, "--yes"])
            _ = try streamplat([
                "generate", domain, "--events", "20000", "--seed", "42", "--start", "2024-05-06T00:00:00Z", "--span",
                "26h",
            ])
            _ = try streamplat(["run", domain, "--until-idle", "--close-windows"])
            let sink = [
                "sinks.primary.type=clickhouse", "sinks.primary.clickhouse.urls=[\"\(server.url)\"]",
                "sinks.primary.clickhouse.database=\(database)", "sinks.primary.clickhouse.user=\(server.user)",
                "sinks.primary.clickhouse.password=$<secret:CLICKHOUSE_PASSWORD>",
                "runtime.checkpoint.path=.streamplat/checkpoints-modern",
            ]
            _ = try streamplat(["apply", domain, "--yes"], sink)
            #expect(try streamplat(["apply", domain, "--yes"], sink).contains("nothing to do"))
            _ = try streamplat(["run", domain, "--until-idle", "--close-windows"], sink)
            _ = try python([
                "clickhouse", "--url", server.url, "--user", server.user, "--database", database, "--into", "modern.db",
            ])
            let verdict = try python(["same", ".streamplat/results.db", "modern.db"])
            #expect(verdict.contains(" 0 differ"), "\(verdict)")
            // Everything once more, by a run that knows nothing of the first: each row is replaced.
            let anew = sink + ["runtime.checkpoint.path=.streamplat/checkpoints-anew"]
            _ = try streamplat(["run", domain, "--until-idle", "--close-windows"], anew)
            // What a person sees: the newest rows, although nothing says FINAL.
            #expect(try streamplat(["query"], sink) == streamplat(["query"]))
            let count = ["query", "SELECT COUNT(*) AS n FROM \(table)"]
            #expect(try streamplat(count, sink) == streamplat(count))
        }
    }
}
