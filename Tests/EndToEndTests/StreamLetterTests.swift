import Foundation
import Testing

extension EndToEnd {
    /// Rows on which a step of a derived stream fails: one dead letter each, which says which step, and can be sent again.
    @Suite("Dead letters of derived streams")
    struct StreamLetterTests {
        /// - Parameter more: Aggregations and streams beside the one reader of `tenfold`.
        private static func domain(
            factor: String = "amount * 10", window: String = "1 day", streams: String = "", more: String = ""
        ) -> String {
            """
            domain: sums
            entity: { primary_key: user_id }
            event_types: [{ name: sale, topic: { name: events.sale, partitions: 2 }, fields: [{ name: amount, type: long }] }]
            streams:
              - name: tenfold
                from: sale
                steps:
                  - filter: amount > 0
                  - derive: { more: "\(factor)" }
            \(streams)
            aggregations:
              - { name: total, from: [tenfold], type: sum, field: more, window: { type: tumbling, duration: \(window) } }
            \(more)

            """
        }

        private static let amounts = [1, 9_000_000_000_000_000_000, 7, -9_000_000_000_000_000_000, 8]
        private static let final = ["run", "sums", "--until-idle", "--close-windows", "--output", "json"]

        /// An applied project whose topic holds the sales.
        private func project(_ domain: String) async throws -> TestProject {
            let project = try TestProject()
            try project.write(domain, to: "domains/sums.yaml")
            try project.write(
                Self.amounts.enumerated().map {
                    #"{"event_id":"e\#($0)","timestamp":"2024-05-06T10:00:0\#($0)Z","user_id":"u\#($0)","amount":\#($1)}"#
                        + "\n"
                }.joined(), to: "sales.ndjson")
            try await project.streamplat("apply", "sums", "--yes")
            return project
        }

        private func change(_ project: TestProject, _ domain: String) async throws {
            try project.write(domain, to: "domains/sums.yaml")
            try await project.streamplat("apply", "sums", "--yes")
        }

        private func run(_ project: TestProject, _ more: String...) async throws -> Outcome {
            let outcome = try await project.start(Self.final + more).wait(limit: .seconds(60))
            try #require(outcome.code == 0, "\(outcome)")
            return outcome
        }

        private func objects(_ outcome: Outcome) throws -> [[String: Any]] {
            try #require(
                try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]], "\(outcome)")
        }

        private func letters(_ project: TestProject, _ filter: String = "true") async throws -> [[String: Any]] {
            try objects(
                try await project.streamplat(
                    "dlq", "show", "sums", "--filter", filter, "--limit", "100", "--output", "json"))
        }

        private func rows(_ project: TestProject, _ query: String) async throws -> String {
            try await project.streamplat("query", query, "--domain", "sums", "--output", "csv").output
        }

        @Test(
            "A row on which a step's arithmetic overflows is a dead letter, once, and in no table; its neighbours are")
        func once() async throws {
            let project = try await project(
                Self.domain(
                    streams:
                        "    sink: primary\n  - { name: large, from: tenfold, sink: primary, steps: [{ filter: more > 50 }] }"
                ))
            let run = try await run(project, "--input", "sale=sales.ndjson")
            #expect(run.output.contains(/"dead_letters": ?1\b/), "\(run)")
            let list = try objects(try await project.streamplat("dlq", "list", "sums", "--output", "json"))
            let group = try #require(list.first)
            #expect(list.count == 1 && group["stream"] as? String == "tenfold" && group["step"] as? Int == 2)
            #expect(group["event_type"] as? String == "sale" && group["aggregation"] is NSNull, "\(group)")
            let found = try await letters(project, "stream = 'tenfold' and step = 2 and stage = 'step'")
            let letter = try #require(found.first)
            #expect(found.count == 1)
            let message = try #require(letter["message"] as? String)
            #expect(message.contains("stream 'tenfold', step 2 (derive)"), "\(message)")
            #expect((letter["config"] as? String) == "domains/sums.yaml:9:9", "\(letter)")
            #expect((letter["value"] as? String)?.contains("9000000000000000000") == true, "\(letter)")
            #expect(try await letters(project, "stream = 'large' or step = 1").isEmpty)
            #expect(
                try await rows(project, "select event_id, more from tenfold order by 1")
                    == "event_id,more\ne0,10\ne2,70\ne4,80\n")
            #expect(try await rows(project, "select event_id from large order by 1") == "event_id\ne2\ne4\n")
            #expect(try await rows(project, "select total from total") == "total\n160\n")
        }

        @Test("A new or changed reader of a stream sends none of its letters again; a changed stream does")
        func readers() async throws {
            let project = try await project(Self.domain())
            try await project.streamplat("ingest", "sale", "sales.ndjson", "--domain", "sums")
            #expect(try await run(project).output.contains(/"dead_letters": ?1\b/))
            // Its only reader, changed: nobody else has passed the record.
            try await change(project, Self.domain(window: "1 hour"))
            let rebuilt = try await run(project, "--batch-rows", "2")
            #expect(rebuilt.output.contains(/"dead_letters": ?0\b/) && rebuilt.output.contains(/"events_read": ?5\b/))
            #expect(
                rebuilt.errors.contains("stream 'tenfold' fails are dead letters of an earlier run"), "\(rebuilt)")
            // New readers beside one that has passed it.
            let large = "  - { name: large, from: tenfold, sink: primary, steps: [{ filter: more > 50 }] }"
            let count =
                "  - { name: sales, from: [tenfold], type: count, window: { type: tumbling, duration: 1 day } }"
            try await change(project, Self.domain(window: "1 hour", streams: large, more: count))
            let grown = try await run(project, "--batch-rows", "2")
            #expect(grown.output.contains(/"dead_letters": ?0\b/), "\(grown)")
            #expect(try await letters(project).count == 1)
            #expect(try await rows(project, "select count from sales") == "count\n3\n")
            #expect(try await rows(project, "select event_id from large order by 1") == "event_id\ne2\ne4\n")
            #expect(try await rows(project, "select total from total") == "total\n160\n")
            // Another stream fails on rows of its own.
            try await change(
                project, Self.domain(factor: "amount * 20", window: "1 hour", streams: large, more: count))
            #expect(try await run(project).output.contains(/"dead_letters": ?1\b/))
            #expect(try await letters(project).count == 2)
        }

        @Test(
            "A letter of a step that is sent again fails again, or counts once when the expression was mended",
            arguments: [true, false])
        func replay(mendedBefore: Bool) async throws {
            let project = try await project(Self.domain(streams: "    sink: primary"))
            try await project.streamplat("ingest", "sale", "sales.ndjson", "--domain", "sums")
            _ = try await run(project)
            // The cause is there still.
            let sent = try await project.streamplat(
                "dlq", "replay", "sums", "--yes", "--filter", "stream = 'tenfold'", "--output", "json")
            #expect(sent.output.contains("\"sent\": 1"), "\(sent)")
            #expect(try await run(project).output.contains(/"dead_letters": ?1\b/))
            let retried = try await letters(project, "not replayed")
            #expect(retried.map { $0["retries"] as? Int } == [1] && retried[0]["step"] as? Int == 2, "\(retried)")
            #expect(try await rows(project, "select total from total") == "total\n160\n")

            let mended = Self.domain(factor: "amount * 1", streams: "    sink: primary")
            if mendedBefore {
                try await change(project, mended)
                try await project.streamplat("dlq", "replay", "sums", "--yes")
            } else {
                try await project.streamplat("dlq", "replay", "sums", "--yes")
                try await change(project, mended)
            }
            for _ in 0..<2 {
                let last = try await run(project)
                #expect(last.output.contains(/"dead_letters": ?0\b/), "\(last)")
                #expect(
                    try await rows(project, "select total, window_start from total").contains("9000000000000000016"))
                #expect(try await rows(project, "select count(*) from tenfold") == "count(*)\n4\n")
            }
            #expect(try await letters(project, "not replayed").isEmpty)
            // As a run that begins now has it, from the originals and the copies.
            let other = ["sinks.primary.sqlite.path=.streamplat/other.db"]
            try await project.streamplat("apply", "sums", "--yes", settings: other)
            try await project.streamplat("run", "sums", "--until-idle", "--close-windows", settings: other)
            #expect(try await project.dump() == project.dump(".streamplat/other.db"))
        }

        @Test("validate and apply warn of a stream that nobody reads, with its place and what to write")
        func unread() async throws {
            let project = try TestProject()
            try project.write(
                Self.domain(streams: "  - { name: idle, from: tenfold, steps: [{ filter: more > 50 }] }"),
                to: "domains/sums.yaml")
            for command in [["validate", "sums"], ["apply", "sums", "--yes"]] {
                let outcome = try await project.start(command).wait(limit: .seconds(60))
                #expect(outcome.code == 0, "\(outcome)")
                for part in ["domains/sums.yaml:10:", "warning[SP2206]", "'idle'", "sink: primary"] {
                    #expect(outcome.errors.contains(part), "\(outcome)")
                }
            }
        }
    }
}
