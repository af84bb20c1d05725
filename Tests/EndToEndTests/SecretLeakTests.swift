import Foundation
import TestServers
import Testing

extension EndToEnd {
    /// Canaries for every credential, and where they must not sing.
    @Suite("No secret in any output")
    struct SecretLeakTests {
        typealias Sink = RealServersTests.Sink

        private static let kafka = "Ca/nary+kafka:5f1d7a"
        private static let registry = "Ca/nary+registry:5f1d7a"
        private static let inURL = "canary-url-5f1d7a"

        /// Credentials that stand in the configuration itself. The broker takes them without a look, the registry too.
        private static let literal = [
            "broker.kafka.security_protocol=sasl_plaintext", "broker.kafka.sasl_mechanism=PLAIN",
            "broker.kafka.username=somebody", "broker.kafka.password=\(kafka)", "broker.kafka.client={debug: all}",
        ]

        /// A secret as it stands, and as it travels.
        static func forms(of secret: String) -> [String] {
            let users = ["streamplat", "somebody", ""]
            return [
                secret, Data(secret.utf8).base64EncodedString(),
                secret.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? secret,
            ] + users.map { Data("\($0):\(secret)".utf8).base64EncodedString() }
        }

        /// `String.contains` takes minutes for as much as is said here.
        private static func contains(_ text: String, _ part: String) -> Bool {
            Array(text.utf8).withUnsafeBytes { text in
                Array(part.utf8).withUnsafeBytes { part in
                    guard let wanted = part.baseAddress, var place = text.baseAddress else { return part.isEmpty }
                    let end = place + text.count
                    while end - place >= part.count,
                        let found = memchr(place, Int32(part[0]), end - place - part.count + 1)
                    {
                        if memcmp(found, wanted, part.count) == 0 { return true }
                        place = UnsafeRawPointer(found) + 1
                    }
                    return false
                }
            }
        }

        /// The arguments and, of all but the first, the names of a process and its children.
        private func arguments(ofTreeAt process: Int32) -> String {
            let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
            func text(_ file: String) -> String {
                (FileManager.default.contents(atPath: file)).map { String(decoding: $0, as: UTF8.self) } ?? ""
            }
            let children = all.filter {
                text("/proc/\($0)/stat").split(separator: ")").last?.split(separator: " ").dropFirst().first
                    == "\(process)"
            }
            return children.map { text("/proc/\($0)/cmdline") + arguments(ofTreeAt: $0) }.joined(separator: "\n")
        }

        @Test("No credential reaches any output, file, log, metric or process list", arguments: Sink.allCases)
        func everywhere(_ sink: Sink) async throws {
            let servers = try await RealServers()
            let project = try TestProject()
            let registry =
                sink == .clickhouse
                ? ["username=somebody", "password=\(Self.registry)"] : ["token=\(Self.registry)"]
            let chosen =
                sink.settings("shop") + Self.literal + registry.map { "schema_registry.confluent.\($0)" }
                + ["monitoring.log.level=trace"]
            let secrets = servers.secrets + [Self.kafka, Self.registry, Self.inURL]
            let settings = chosen.flatMap { ["--set", $0] }
            var said: [(what: String, text: String)] = []
            func command(_ arguments: [String], exit code: Int32 = 0) async throws {
                let outcome = try await project.start(arguments + settings, environment: servers.environment)
                    .wait(limit: .seconds(120))
                // What fails at once would say little.
                #expect(outcome.code == code, "\(outcome)")
                said.append((arguments.joined(separator: " "), outcome.output + outcome.errors))
            }
            for arguments in [
                ["health"], ["health", "--output", "json"], ["plan", "ecommerce"],
                ["plan", "ecommerce", "--output", "json"], ["apply", "ecommerce", "--yes"],
                ["generate", "ecommerce", "--events", "2000", "--span", "1h"],
                ["run", "ecommerce", "--until-idle", "--close-windows"], ["query"], ["query", "--output", "json"],
                ["config", "show"], ["config", "show", "--output", "json"], ["validate", "ecommerce"],
                ["config", "explain", "sinks.primary.\(sink.rawValue).password"],
                ["config", "explain", "broker.kafka.password", "--output", "json"],
                ["config", "explain", "schema_registry.confluent.\(sink == .clickhouse ? "password" : "token")"],
            ] { try await command(arguments) }
            for output in ["text", "json"] {
                try await command(["query", "select nothing from", "--output", output], exit: 1)
            }

            // Credentials in URLs are refused, without showing them.
            let url = "http://me:\(Self.inURL)@127.0.0.1:1"
            for (place, value) in sink == .postgresql
                ? []
                : [
                    ("broker.kafka.bootstrap_servers", "[\"\(url)\"]"),
                    ("schema_registry.confluent.urls", "[\"\(url)\"]"),
                    ("sinks.primary.clickhouse.urls", "[\"\(url)\"]"), ("sinks.primary.postgresql.host", url),
                    ("secrets.vault.address", url),
                ]
            {
                let set = ["--set", "\(place)=\(value)"]
                try await command(["validate", "ecommerce"] + set, exit: 2)
                try await command(["validate", "ecommerce", "--output", "json"] + set, exit: 2)
                try await command(["config", "show"] + set)
                try await command(["config", "explain", place] + set)
            }

            // While it runs.
            let child = try project.start(
                ["run", "ecommerce"] + settings + ["--set", "monitoring.port=0"], environment: servers.environment)
            let address = try await child.monitoringAddress()
            let server: RealServers.Name = sink == .clickhouse ? .clickhouse : .postgres
            for isStopped in [false, true] {
                if isStopped { try await servers.stop(server) }
                for page in ["metrics", "healthz", "readyz"] {
                    said.append((page, try await HTTP.get("http://\(address)/\(page)")?.body ?? ""))
                }
            }
            said.append(("processes", arguments(ofTreeAt: child.processIdentifier)))
            child.send(SIGTERM)
            let outcome = try await child.wait(limit: .seconds(60))
            said.append(("run", outcome.output + outcome.errors))
            try await command(["query"], exit: 3)
            try await command(["health", "--output", "json"], exit: 3)
            for file in project.files(".") {
                said.append((file, String(decoding: try project.read(file), as: UTF8.self)))
            }
            try #require(said.map(\.text.count).reduce(0, +) > 10_000)
            #expect(
                said.contains { $0.text.contains("streamplat_") } && said.contains { $0.text.contains("librdkafka") })
            for secret in secrets {
                for form in Self.forms(of: secret) {
                    let place = said.first { Self.contains($0.text, form) }
                    #expect(place == nil, "\(place?.what ?? "") shows a credential as \(form)")
                }
            }
        }
    }
}
