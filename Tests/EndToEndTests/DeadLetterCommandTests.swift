import Foundation
import Testing

extension EndToEnd {
    /// `streamplat dlq`: letters are listed, shown and sent again, by the program itself.
    @Suite("Dead-letter commands")
    struct DeadLetterCommandTests {
        static let domain = """
            domain: shop
            entity: { primary_key: user_id }
            event_types:
              - name: order
                format: json
                metrics: [{ name: quantity, type: long }]
                dimensions: [currency]
            aggregations:
              - name: by_hour
                from: [order]
                group_by: [currency]
                window: { type: tumbling, duration: 1 hour }
                measures: [{ name: orders, type: count }, { name: quantity, type: sum, field: quantity }]
              - name: large
                from: [order]
                type: count
                filter: "quantity + 10 > 50"
                window: { type: tumbling, duration: 1 hour }

            """

        private static func line(_ number: Int, _ quantity: String = "7") -> String {
            let hour = String(format: "%02d", number % 20)
            return
                "{\"event_id\":\"e\(number)\",\"timestamp\":\"2026-03-01T\(hour):00:00Z\",\"user_id\":\"u\(number)\","
                + "\"quantity\":\(quantity),\"currency\":\"EUR\"}"
        }

        /// Twenty orders over as many hours; the filter of `large` overflows on two of them, and a line is cut off.
        private func project() async throws -> TestProject {
            let project = try TestProject()
            try project.write(Self.domain, to: "domains/shop.yaml")
            try await project.streamplat("apply", "shop", "--yes")
            var lines = (0..<20).map { Self.line($0, $0 % 9 == 4 ? "9223372036854775807" : "60") }
            lines.append("{\"event_id\":")
            try project.write(lines.joined(separator: "\n") + "\n", to: "orders.ndjson")
            try await project.streamplat("ingest", "order", "orders.ndjson", "--domain", "shop", exit: 1)
            return project
        }

        private func objects(_ outcome: Outcome) throws -> [[String: Any]] {
            try #require(
                try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]], "\(outcome)")
        }

        @Test("letters are counted, shown in full, sent again once, and the tables are those of a clean run")
        func wholeWay() async throws {
            let project = try await project()
            // The total of such quantities would not fit: by_hour only counts them.
            try project.edit(
                "domains/shop.yaml", ", { name: quantity, type: sum, field: quantity }]", "]")
            try await project.streamplat("apply", "shop", "--yes")
            try await project.streamplat("run", "shop", "--until-idle")

            let list = try objects(try await project.streamplat("dlq", "list", "shop", "--output", "json"))
            #expect(list.count == 2)
            let step = try #require(list.first { $0["stage"] as? String == "step" })
            #expect(step["letters"] as? Int == 2)
            #expect(step["code"] as? String == "SP6110")
            #expect(step["aggregation"] as? String == "large")
            #expect(step["event_type"] as? String == "order")
            let table = try await project.streamplat("dlq", "list", "shop")
            #expect(table.output.contains("SP6110") && table.output.contains("SP3202"), "\(table)")

            let shown = try objects(
                try await project.streamplat(
                    "dlq", "show", "shop", "--filter", "stage = 'step'", "--limit", "1", "--output", "json"))
            let letter = try #require(shown.first)
            #expect(shown.count == 1)
            #expect(letter["topic"] as? String == "events.order")
            // Which partition's comes first is open.
            let key = try #require(letter["key"] as? String)
            #expect(["u4", "u13"].contains(key))
            #expect((letter["decoded"] as? [String: Any])?["user_id"] as? String == key)
            #expect((letter["config"] as? String)?.hasPrefix("domains/shop.yaml:") == true)
            let text = try await project.streamplat("dlq", "show", "shop", "--filter", "line = 21")
            #expect(text.output.contains("SP3202") && text.output.contains("{\"event_id\":"), "\(text)")
            let csv = try await project.streamplat("dlq", "show", "shop", "--output", "csv")
            let lines = csv.output.split(separator: "\n")
            #expect(lines[0].hasPrefix("position,dlq_partition,stage,code,message,"), "\(csv)")
            #expect(lines[0].hasSuffix(",decoded,truncated"), "\(csv)")

            let dry = try await project.streamplat("dlq", "replay", "shop", "--dry-run")
            #expect(dry.output.contains("events.order: 2 records") && dry.output.contains("ingest"), "\(dry)")
            let refused = try await project.streamplat("dlq", "replay", "shop", exit: 2)
            #expect(refused.errors.contains("SP5006") && refused.errors.contains("--yes"), "\(refused)")

            // Mended by a filter that means the same and does not overflow.
            try project.edit("domains/shop.yaml", "quantity + 10 > 50", "quantity > 40")
            try await project.streamplat("apply", "shop", "--yes")
            let sent = try await project.streamplat("dlq", "replay", "shop", "--yes", "--output", "json")
            #expect(sent.output.contains("\"sent\": 2"), "\(sent)")
            try await project.streamplat("run", "shop", "--until-idle")
            for table in ["by_hour", "large"] {
                let column = table == "large" ? "count" : "orders"
                let rows = try await project.streamplat(
                    "query", "select count(*), sum(\(column)) from \(table)", "--output", "csv", "--domain", "shop")
                #expect(rows.output.hasSuffix("20,20\n"), "\(table): \(rows)")
            }
            let again = try await project.streamplat("dlq", "replay", "shop", "--yes")
            #expect(again.output.contains("nothing to send again"), "\(again)")
            let left = try objects(
                try await project.streamplat(
                    "dlq", "list", "shop", "--filter", "not replayed", "--output", "json"))
            #expect(left.map { $0["stage"] as? String } == ["ingest"])
        }

        @Test("on Kafka and a schema registry, with a schema that is registered too late")
        func kafka() async throws {
            let servers = try await RealServers()
            let project = try TestProject()
            try project.write(
                Self.domain.replacingOccurrences(of: "    format: json\n", with: ""), to: "domains/shop.yaml")
            try project.write((0..<20).map { Self.line($0) }.joined(separator: "\n") + "\n", to: "orders.ndjson")
            let common = [
                "--environment", "dev", "--set", "sinks.primary.type=postgresql", "--set",
                "sinks.primary.postgresql.database=letters", "--set", "monitoring.port=null", "--set",
                // The copies come behind all originals: none of them may be late.
                "runtime.watermark_delay=30 hours",
            ]
            func streamplat(_ arguments: String...) async throws -> Outcome {
                let outcome = try await project.start(arguments + common, environment: servers.environment)
                    .wait(limit: .seconds(120))
                try #require(outcome.code == 0, "\(outcome)")
                return outcome
            }
            _ = try await streamplat("apply", "shop", "--yes")
            _ = try await streamplat("ingest", "order", "orders.ndjson", "--domain", "shop")
            let broker = try #require(servers.environment["STREAMPLAT_KAFKA"])
            let registry = try #require(servers.environment["STREAMPLAT_REGISTRY"])
            // A second copy of each event, of a schema that nobody knows yet.
            func client(_ action: String) async throws {
                let outcome = try await project.python(
                    "late_schema.py", [action, "--broker", broker, "--registry", registry, "--topic", "events.order"])
                try #require(outcome.code == 0, "\(outcome)")
            }
            try await client("copy")
            _ = try await streamplat("run", "shop", "--until-idle")
            let list = try objects(try await streamplat("dlq", "list", "shop", "--output", "json"))
            #expect(list.map { $0["code"] as? String } == ["SP6106"])
            #expect(list.first?["letters"] as? Int == 20)
            try await client("register")
            let shown = try objects(try await streamplat("dlq", "show", "shop", "--output", "json", "--limit", "1"))
            #expect((shown.first?["decoded"] as? [String: Any])?["currency"] as? String == "EUR", "known by now")
            _ = try await streamplat("dlq", "replay", "shop", "--yes")
            _ = try await streamplat("run", "shop", "--until-idle")
            let rows = try await streamplat(
                "query", "select count(*), sum(orders), sum(quantity) from by_hour", "--output", "csv", "--domain",
                "shop")
            #expect(rows.output.hasSuffix("20,40,280\n"), "\(rows)")
        }

        @Test("a wrong filter, limit or option is refused with its place, before anything is opened")
        func wrongUse() async throws {
            let project = try TestProject()
            let before = project.files(".")
            let unknown = try await project.streamplat("dlq", "list", "--filter", "stag = 'step'", exit: 2)
            #expect(unknown.errors.contains("--filter:1:1") && unknown.errors.contains("'stage'"), "\(unknown)")
            #expect(unknown.errors.contains("stag = 'step'"), "the excerpt: \(unknown)")
            for arguments in [
                ["dlq", "show", "--limit", "0"], ["dlq", "list", "--filter", "code ="],
                ["dlq", "list", "--filter", "offset + 1"], ["dlq", "replay", "--dry-run", "--yes"],
                ["dlq", "replay", "--output", "csv"], ["dlq", "list", "no_such_domain"],
            ] {
                let outcome = try await project.start(arguments).wait(limit: .seconds(60))
                #expect(outcome.code == 2, "\(outcome)")
            }
            #expect(project.files(".") == before)
            // There is no log yet, and so there are no letters.
            let empty = try await project.streamplat("dlq", "list")
            #expect(empty.output.contains("0 rows"), "\(empty)")
            #expect(try await project.streamplat("dlq", "show").output.contains("no dead letters"))
            #expect(try await project.streamplat("dlq", "replay", "--dry-run").output.contains("nothing to send"))
        }
    }
}
