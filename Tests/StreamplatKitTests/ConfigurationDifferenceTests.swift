import Diagnostics
import Foundation
import ProjectConfig
import Testing

@testable import StreamplatKit

/// What a changed configuration means for a run.
@Suite("Differences of configurations")
struct ConfigurationDifferenceTests {
    private static let domain = """
        domain: shop
        version: "1.0"
        entity: { primary_key: user_id }
        event_types:
          - { name: order, metrics: [{ name: amount, type: money }], dimensions: [country] }
        streams:
          - { name: large, from: order, steps: [{ filter: amount > 9 }], sink: primary }
        aggregations:
          - { name: orders, type: count, window: { type: tumbling, duration: 1 minute } }
          - { name: revenue, type: sum, field: amount, filter: "amount > 1", window: { type: tumbling, duration: 1 hour } }
        sample_data: { country: [AT] }

        """

    /// Between the domain above and an edited one, and between the environment files.
    private func difference(
        _ edit: (String) -> String = { $0 }, before: String = "{}\n", environment: String? = nil
    ) throws -> ConfigurationDifference {
        let harness = try RunHarness(domain: Self.domain)
        func load() throws -> Project {
            var sources = SourceTexts()
            return try Project.load(
                .init(domain: harness.domainPath, environment: "local"), plugins: .builtin, sources: &sources)
        }
        let file = harness.folder.appendingPathComponent("environments/local.yaml")
        try before.write(to: file, atomically: true, encoding: .utf8)
        let old = try load()
        let edited = edit(Self.domain)
        try harness.write(edited)
        if let environment { try environment.write(to: file, atomically: true, encoding: .utf8) }
        let new = try load()
        return ConfigurationDifference(
            from: old, try #require(old.domain), to: new, try #require(new.domain))
    }

    @Test(
        "What a run is not made of, or means the same, is no difference",
        arguments: [
            ("version: \"1.0\"", "version: \"1.1\"   # a comment"), ("[AT]", "[AT, DE]"),
            ("duration: 1 minute }", "duration: 60 s }"), ("domain: shop", "\n\ndomain: shop"),
            ("name: orders,", "name: orders, description: all orders,"),
        ])
    func none(_ old: String, _ new: String) throws {
        let difference = try difference { $0.replacing(old, with: new) }
        #expect(!difference.needsHandOver && difference.fixed.isEmpty, "\(difference)")
        #expect(difference.unchanged == ["orders", "revenue"])
    }

    @Test("A default that is written down is no difference, nor is the block of a plugin that is not used")
    func defaults() throws {
        let difference = try difference(
            environment: """
                runtime: { batch_rows: 4096 }
                broker: { embedded: { fsync: interval }, kafka: { bootstrap_servers: "a:1" } }
                sinks: { primary: { sqlite: { synchronous: normal }, file: { path: out } } }

                """)
        #expect(!difference.needsHandOver && difference.fixed.isEmpty, "\(difference) \(difference.fixed)")
    }

    @Test("A cluster's settings that stand on another line, or say their defaults, are no difference")
    func movedCluster() throws {
        let difference = try difference(
            before: "runtime: { cluster: true }\n",
            environment: "# moved\n\nruntime: { cluster: { session_timeout: 10 s, slots: 32 } }\n")
        #expect(!difference.needsHandOver && difference.fixed.isEmpty, "\(difference) \(difference.fixed)")
    }

    @Test("Aggregations are told apart by what they mean")
    func aggregations() throws {
        let changed = try difference { $0.replacing("amount > 1", with: "amount > 2") }
        #expect(changed.changed == ["revenue"] && changed.unchanged == ["orders"] && changed.settings.isEmpty)
        let renamed = try difference { $0.replacing("name: orders", with: "name: sales") }
        #expect(renamed.added == ["sales"] && renamed.removed == ["orders"])
        let adjusted = try difference { $0.replacing("type: count,", with: "type: count, emit: final,") }
        #expect(adjusted.adjusted == ["orders"] && adjusted.changed.isEmpty && adjusted.needsHandOver)
    }

    @Test("Streams are told apart by what their rows mean and where these go")
    func streams() throws {
        let changed = try difference { $0.replacing("amount > 9", with: "amount > 8") }
        #expect(changed.changed == ["stream large"] && changed.settings.isEmpty && changed.needsHandOver)
        let silent = try difference { $0.replacing("], sink: primary }", with: "] }") }
        #expect(silent.changed == ["stream large"], "\(silent)")
        let described = try difference { $0.replacing("{ name: large,", with: "{ name: large, description: d,") }
        #expect(!described.needsHandOver, "\(described)")
        let added = try difference {
            $0.replacing(
                "aggregations:",
                with:
                    "  - { name: larger, from: large, steps: [{ filter: amount > 99 }], sink: primary }\naggregations:")
        }
        #expect(added.added == ["stream larger"] && added.changed.isEmpty && added.unchanged == ["orders", "revenue"])
    }

    @Test(
        "Settings are told by their paths",
        arguments: [
            ("runtime: { batch_rows: 64, workers: 2 }", ["runtime.batch_rows", "runtime.workers"], []),
            ("dead_letters: { max_share: 5% }", ["dead_letters.max_share"], []),
            ("sinks: { primary: { sqlite: { path: a.db } } }", ["sinks.primary.sqlite.path"], []),
            ("sinks: { primary: { type: console } }", ["sinks.primary.type"], []),
            ("monitoring: { port: 0, host: 0.0.0.0 }", [], ["monitoring.port", "monitoring.host"]),
            ("runtime: { checkpoint: { path: a } }", [], ["runtime.checkpoint.path"]),
            ("runtime: { cluster: { slots: 8 } }", [], ["runtime.cluster"]),
            ("broker: { embedded: { path: a } }", [], ["broker.embedded.path"]),
        ] as [(String, [String], [String])])
    func settings(_ environment: String, _ settings: [String], _ fixed: [String]) throws {
        let difference = try difference(environment: environment + "\n")
        #expect(difference.settings.sorted() == settings && difference.fixed == fixed, "\(difference)")
        #expect(difference.needsHandOver == !settings.isEmpty)
        // And back.
        let back = try self.difference(before: environment + "\n", environment: "{}\n")
        #expect(back.settings.sorted() == settings && back.fixed == fixed, "\(back)")
    }

    @Test("The level of the log needs no other pipeline; a field and a topic do")
    func others() throws {
        let log = try difference(environment: "monitoring: { log: { level: debug } }\n")
        #expect(log.changesLog && !log.needsHandOver && log.fixed.isEmpty)
        let field = try difference { $0.replacing("[country]", with: "[country, device]") }
        #expect(field.settings == ["event_types.order.dimensions"])
    }
}
