import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// Servers behind proxies that cut connections in the middle of what goes over them, or are slow.
    @Suite("Disturbed connections")
    struct ServerDisturbanceTests {
        typealias Sink = RealServersTests.Sink

        /// A proxy before each server.
        private struct Proxies {
            let kafka, registry, sink, vault: CuttingProxy
            let environment: [String: String]

            init(_ servers: RealServers, _ sink: Sink) throws {
                func port(_ name: String) throws -> Int { try #require(Int(try servers.setting("\(name)_PORT"))) }
                kafka = try CuttingProxy(to: port("KAFKA"), rewritesKafkaPort: true)
                registry = try CuttingProxy(to: port("REGISTRY"))
                self.sink = try CuttingProxy(to: port(sink == .clickhouse ? "CLICKHOUSE" : "POSTGRES"))
                vault = try CuttingProxy(to: port("VAULT"))
                var changed = servers.environment
                changed["STREAMPLAT_KAFKA"] = "127.0.0.1:\(kafka.port)"
                changed["STREAMPLAT_REGISTRY"] = "http://127.0.0.1:\(registry.port)"
                changed["STREAMPLAT_CLICKHOUSE"] = "http://127.0.0.1:\(self.sink.port)"
                changed["STREAMPLAT_POSTGRES_PORT"] = "\(self.sink.port)"
                changed["VAULT_ADDR"] = "http://127.0.0.1:\(vault.port)"
                environment = changed
            }

            var all: [CuttingProxy] { [kafka, registry, sink, vault] }
        }

        @Test(
            "A run whose connections are cut every 50 kB, and one with slow servers, try again and lose nothing",
            arguments: Sink.allCases)
        func disturbedRun(_ sink: Sink) async throws {
            let servers = try await RealServers()
            let proxies = try Proxies(servers, sink)
            let project = try TestProject()
            let settings =
                sink.settings("shop") + ["runtime.flush_interval=50 ms", "runtime.checkpoint.interval=200 ms"]
            func run(_ arguments: [String], _ environment: [String: String]) async throws -> Outcome {
                let outcome = try await project.start(
                    arguments + settings.flatMap { ["--set", $0] }, environment: environment
                ).wait(limit: .seconds(120))
                try #require(outcome.code == 0, "\(outcome)")
                return outcome
            }
            let events = ["--events", "20000", "--seed", "5", "--start", "2024-05-06T00:00:00Z", "--span", "2h"]
            _ = try await run(["apply", "ecommerce", "--yes"], servers.environment)
            _ = try await run(["generate", "ecommerce"] + events, servers.environment)
            try await project.streamplat(
                "generate", "ecommerce", "--events", "20000", "--seed", "5", "--start",
                "2024-05-06T00:00:00Z", "--span", "2h", "--out", "events.ndjson")

            // Until the run has begun, everything goes well: a command that cannot open a server ends.
            let child = try project.start(
                ["run", "ecommerce"] + settings.flatMap { ["--set", $0] } + ["--set", "monitoring.port=0"],
                environment: proxies.environment)
            let address = try await child.monitoringAddress()
            try await wait("ready", child) { try await HTTP.get("http://\(address)/readyz")?.status == 200 }
            for proxy in [proxies.kafka, proxies.sink] {
                // Two in a row: clients send once more by themselves before they say anything.
                proxy.cutAfterBytes = [500, 1, 1, 5_000] + Array(repeating: 50_000, count: 2)
            }
            _ = try await run(
                [
                    "generate", "ecommerce", "--events", "10000", "--seed", "6", "--span", "1h", "--start",
                    "2024-05-06T02:00:00Z",
                ], servers.environment)
            try await project.streamplat(
                "generate", "ecommerce", "--events", "10000", "--seed", "6", "--start",
                "2024-05-06T02:00:00Z", "--span", "1h", "--out", "more.ndjson")
            try await wait("both cut three times", child) { proxies.kafka.cuts > 2 && proxies.sink.cuts > 2 }
            child.send(SIGTERM)
            let outcome = try await child.wait(limit: .seconds(60))
            #expect(outcome.code == 0, "\(outcome)")
            #expect(outcome.errors.contains("trying again"), "the retries are seen: \(outcome)")
            #expect(outcome.errors.contains("reaches no broker"), "the broker's absence is seen: \(outcome)")

            for proxy in proxies.all { (proxy.cutAfterBytes, proxy.delayMilliseconds) = ([], 30) }
            let health = try await run(["health"], proxies.environment)
            #expect(!health.output.contains("down"), "\(health)")
            _ = try await run(["run", "ecommerce", "--until-idle", "--close-windows"], proxies.environment)
            _ = try await run(["query"], proxies.environment)
            try await servers.fetch(sink, "shop", into: "tables.db", project)
            try await project.judge(
                "generated", "--domain", "domains/ecommerce.yaml", "--events", "events.ndjson", "--events",
                "more.ndjson", "--db", "tables.db")
        }

        private func wait(_ what: String, _ run: ChildProcess, until isRight: () async throws -> Bool) async throws {
            let deadline = ContinuousClock.now + .seconds(240)
            while try await !isRight() {
                let errors = try run.errorsSoFar
                try #require(run.isRunning && ContinuousClock.now < deadline, "not \(what): \(errors)")
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }
}
