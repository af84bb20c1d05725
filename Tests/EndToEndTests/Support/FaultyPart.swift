import Foundation
import TestServers

/// A part of an environment whose server misbehaves, in a project that needs no other server.
enum FaultyPart: String, CaseIterable, Sendable {
    case kafka, registry, clickhouse, postgresql, vault

    /// `environments/faulty.yaml`: the server listens at a port of the environment variable FAULTY, and gets two seconds.
    var environment: String {
        switch self {
        case .kafka:
            """
            broker:
              type: kafka
              kafka:
                bootstrap_servers: ["127.0.0.1:$<env:FAULTY>"]
                request_timeout: 2 seconds

            """
        case .registry:
            """
            schema_registry:
              type: confluent
              confluent:
                urls: ["http://127.0.0.1:$<env:FAULTY>"]
                timeout: 2 seconds

            """
        case .clickhouse:
            """
            sinks:
              primary:
                type: clickhouse
                clickhouse:
                  urls: ["http://127.0.0.1:$<env:FAULTY>"]
                  user: somebody
                  timeout: 2 seconds

            """
        case .postgresql:
            """
            sinks:
              primary:
                type: postgresql
                postgresql:
                  host: 127.0.0.1
                  port: $<env:FAULTY>
                  database: somewhere
                  user: somebody
                  connect_timeout: 2 seconds

            """
        case .vault:
            """
            secrets:
              type: vault
              vault:
                address: "http://127.0.0.1:$<env:FAULTY>"
                token: canary-of-the-vault
                timeout: 2 seconds
            sinks:
              primary:
                sqlite:
                  path: "$<secret:a/path#b>"

            """
        }
    }

    /// The option that says where the server is, and the line of ``environment`` where it stands.
    var setting: String {
        switch self {
        case .kafka: "broker.kafka.bootstrap_servers is set here: environments/faulty.yaml:4:"
        case .registry: "schema_registry.confluent.urls is set here: environments/faulty.yaml:4:"
        case .clickhouse: "sinks.primary.clickhouse.urls is set here: environments/faulty.yaml:5:"
        case .postgresql: "sinks.primary.postgresql.port is set here: environments/faulty.yaml:6:"
        case .vault: "secrets.vault.address is set here: environments/faulty.yaml:4:"
        }
    }

    /// The commands that open it.
    var commands: [[String]] {
        let all = [
            ["apply", "ecommerce", "--yes"], ["plan", "ecommerce"], ["run", "ecommerce", "--until-idle"], ["health"],
        ]
        return switch self {
        case .kafka, .registry: all + [["generate", "ecommerce", "--events", "10"]]
        case .clickhouse, .postgresql: all + [["query"]]
        case .vault: all + [["query"], ["generate", "ecommerce", "--events", "10"]]
        }
    }
}

/// What a server does instead of its work.
enum ServerFault: String, CaseIterable, Sendable {
    case down, silent, html, noise, cut

    /// The words by which a person sees what is wrong, one of them.
    var causes: [String] {
        switch self {
        case .down: ["refused", "connect"]
        case .silent: ["timed out", "within 2000 ms", "in time"]
        case .html, .noise:
            [
                "does not speak Kafka's protocol", "holds no compatibility level", "not what a ClickHouse server says",
                "no PostgreSQL server", "no vault would say", "HTTP/0.9",
            ]
        case .cut:
            ["closed", "transfer closed", "connection", "end of", "disconnected", "not whole", "no whole answer"]
        }
    }

    /// A server that behaves so; nil = nobody listens.
    func server(insteadOf part: FaultyPart) throws -> FixedAnswerServer? {
        switch self {
        case .down: nil
        case .silent: try FixedAnswerServer(answer: [])
        case .html:
            try FixedAnswerServer(
                answer: Array(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 14\r\n\r\n<p>Welcome</p>".utf8))
        case .noise: try FixedAnswerServer(answer: (0..<500).map { UInt8(truncatingIfNeeded: $0 * 151 + 66) })
        case .cut: try FixedAnswerServer(answer: Self.beginning(of: part), closes: true)
        }
    }

    /// The first bytes of a right answer.
    private static func beginning(of part: FaultyPart) -> [UInt8] {
        switch part {
        // An answer of a thousand bytes to the first request.
        case .kafka: [0, 0, 0x03, 0xE8, 0, 0, 0, 1]
        // No TLS here; go on without.
        case .postgresql: Array("N".utf8)
        default: Array("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"data".utf8)
        }
    }
}
