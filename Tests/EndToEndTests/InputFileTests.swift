import Foundation
import Testing

extension EndToEnd {
    /// `run --input`: files in the place of topics.
    @Suite("Runs over files")
    struct InputFileTests {
        private static let types = [
            "page_view", "product_view", "add_to_cart", "remove_from_cart", "purchase", "search",
        ]
        private static let final = ["run", "ecommerce", "--until-idle", "--close-windows"]
        private static let events = 40_000

        /// An applied project with a file of each event type.
        private func project() async throws -> TestProject {
            let project = try TestProject()
            try await project.streamplat("apply", "ecommerce", "--yes")
            let outcome = try await project.start([
                "generate", "ecommerce", "--events", "\(Self.events)", "--seed", "4", "--span", "2h", "--start",
                "2024-05-06T01:00:00Z", "--out", "events.ndjson",
            ]).wait(limit: .seconds(120))
            try #require(outcome.code == 0, "\(outcome)")
            let lines = String(decoding: try project.read("events.ndjson"), as: UTF8.self).split(separator: "\n")
            for type in Self.types {
                let own = lines.filter { $0.hasPrefix("{\"event_type\":\"\(type)\"") }
                try #require(!own.isEmpty)
                try project.write(own.joined(separator: "\n") + "\n", to: "\(type).ndjson")
            }
            return project
        }

        private static let inputs = types.flatMap { ["--input", "\($0)=\($0).ndjson"] }

        /// Makes an Avro container of one of the files.
        private static func pack(_ project: TestProject, codec: String) async throws {
            try project.write(
                """
                import datetime, fastavro, json
                schema = json.load(open("schemas/ecommerce/product_view.avsc"))
                def record(line):
                    event = json.loads(line)
                    time = datetime.datetime.fromisoformat(event["timestamp"].replace("Z", "+00:00"))
                    return event | {"timestamp": time}
                with open("product_view.ndjson") as lines, open("product_view.avro", "wb") as out:
                    fastavro.writer(out, schema, [record(line) for line in lines], codec="\(codec)")
                """, to: "pack.py")
            let python = try #require(Requirements.python)
            let packed = try await ChildProcess(python, ["pack.py"], folder: project.folder).wait(limit: .seconds(60))
            try #require(packed.code == 0, "\(packed)")
        }

        private func judge(_ project: TestProject) async throws {
            try await project.judge(
                "generated", "--domain", "domains/ecommerce.yaml", "--events", "events.ndjson", "--db",
                ".streamplat/results.db")
        }

        @Test("The tables are DuckDB's and those of ingest and run; a file that was counted is not counted again")
        func sameAnswers() async throws {
            let project = try await project()
            let run = try await project.start(Self.final + Self.inputs).wait(limit: .seconds(120))
            try #require(run.code == 0, "\(run)")
            try await judge(project)
            let direct = try await project.dump()
            let again = try await project.start(Self.final + Self.inputs + ["--output", "json"]).wait(
                limit: .seconds(120))
            #expect(again.code == 0 && again.output.contains(/"events_read": ?0\b/), "\(again)")
            #expect(try await project.dump() == direct)
            let other = ["sinks.primary.sqlite.path=.streamplat/other.db"]
            try await project.streamplat("apply", "ecommerce", "--yes", settings: other)
            for type in Self.types {
                try await project.streamplat("ingest", "--domain", "ecommerce", type, "\(type).ndjson")
            }
            try await project.streamplat("run", "ecommerce", "--until-idle", "--close-windows", settings: other)
            #expect(try await project.dump(".streamplat/other.db") == direct)
        }

        @Test(
            "Killed at any moment and started again, it counts each record once; a run of the topics goes on behind it",
            arguments: ["product_view.ndjson", "product_view.avro"])
        func killed(views: String) async throws {
            let project = try await project()
            if views.hasSuffix(".avro") { try await Self.pack(project, codec: "null") }
            let inputs = Self.inputs.map { $0 == "product_view=product_view.ndjson" ? "product_view=\(views)" : $0 }
            let busy = ["--set", "runtime.checkpoint.interval=20 ms", "--set", "runtime.flush_interval=10 ms"]
            for milliseconds in [250, 350, 450, 550] {
                let run = try project.start(Self.final + inputs + busy + ["--batch-rows", "64", "--workers", "3"])
                try await Task.sleep(for: .milliseconds(milliseconds))
                run.send(SIGKILL)
                _ = try await run.wait(limit: .seconds(30))
            }
            let last = try await project.start(Self.final + inputs).wait(limit: .seconds(120))
            try #require(last.code == 0, "\(last)")
            try await judge(project)
            let counted = try await project.dump()
            // Nothing is in the topics; what the files gave stays, and stays counted.
            try await project.streamplat("run", "ecommerce", "--until-idle", "--close-windows")
            let again = try await project.start(Self.final + inputs + ["--output", "json"]).wait(
                limit: .seconds(120))
            #expect(again.code == 0 && again.output.contains(/"events_read": ?0\b/), "\(again)")
            #expect(try await project.dump() == counted)
        }

        @Test("An Avro container that fastavro wrote gives the rows of the same events as NDJSON")
        func container() async throws {
            let project = try await project()
            let arguments = ["--input", "product_view=product_view.ndjson"]
            let first = try await project.start(Self.final + arguments).wait(limit: .seconds(120))
            try #require(first.code == 0, "\(first)")
            let expected = try await project.dump()
            try await Self.pack(project, codec: "deflate")
            let second = try await project.start(
                Self.final + ["--from-earliest", "--input", "product_view=product_view.avro"]
            ).wait(limit: .seconds(120))
            try #require(second.code == 0, "\(second)")
            #expect(try await project.dump() == expected)
        }

        @Test("Raw rows are those of ingest and run: made-up ids, and nothing from the future")
        func rawRows() async throws {
            let project = try TestProject()
            try project.write(
                """
                domain: clicks
                entity: { primary_key: user }
                event_types:
                  - name: click
                    topic: clicks.click
                    raw_events: true
                    fields: [{ name: note, type: string }]
                """, to: "domains/clicks.yaml")
            try await project.streamplat("apply", "clicks", "--yes")
            var text = "\u{FEFF}"
            for number in 0..<20_000 {
                let id = number % 3 == 0 ? "\"event_id\":\"\(number)\"," : number % 3 == 1 ? "\"event_id\":\"\"," : ""
                let note = String(repeating: "x", count: number % 200)
                text += "{\(id)\"timestamp\":\"2024-05-06T01:00:00Z\",\"user\":\"u\",\"note\":\"\(note)\"}"
                text += number % 7 == 0 ? "\r\n" : number % 11 == 0 ? "\n \t\n\r\n" : "\n"
                if number % 5000 == 9 { text += "broken\n" }
            }
            text += "{\"timestamp\":\"2999-01-01T00:00:00Z\",\"user\":\"u\",\"note\":\"from the future\"}\n"
            try project.write(text, to: "click.ndjson")
            let run = try await project.start([
                "run", "clicks", "--until-idle", "--workers", "3", "--input", "click=./click.ndjson",
            ]).wait(limit: .seconds(120))
            try #require(run.code == 0, "\(run)")
            let direct = try await project.dump()
            #expect(direct.split(separator: "\n").count > 20_000 && !direct.contains("future"))
            let other = ["sinks.primary.sqlite.path=.streamplat/other.db"]
            try await project.streamplat("apply", "clicks", "--yes", settings: other)
            try await project.streamplat("ingest", "--domain", "clicks", "click", "click.ndjson", exit: 1)
            try await project.streamplat("run", "clicks", "--until-idle", settings: other)
            #expect(try await project.dump(".streamplat/other.db") == direct)
        }

        @Test("A bad record of a file is a dead letter with its place, which is not sent to a topic")
        func badRecords() async throws {
            let project = try TestProject()
            try await project.streamplat("apply", "ecommerce", "--yes")
            try project.write("{\"event_id\":1}\nbroken\n", to: "bad.ndjson")
            let run = try await project.start(
                ["run", "ecommerce", "--until-idle", "--input", "product_view=bad.ndjson", "--output", "json"]
            ).wait(limit: .seconds(60))
            #expect(run.code == 0 && run.output.contains(/"dead_letters": ?2\b/), "\(run)")
            let shown = try await project.streamplat("dlq", "show", "ecommerce")
            for part in ["bad.ndjson", "broken", "product_view"] { #expect(shown.output.contains(part), "\(shown)") }
            let replay = try await project.start(["dlq", "replay", "ecommerce"]).wait(limit: .seconds(60))
            #expect((replay.output + replay.errors).contains("mend the file and run with --from-earliest"), "\(replay)")
        }

        @Test(
            "The last line of a file that is being written is left for the next run, and counted once when it is finished"
        )
        func beingWritten() async throws {
            let project = try await project()
            let whole = try project.read("product_view.ndjson")
            let lines = whole.split(separator: UInt8(ascii: "\n"))
            let last = try #require(lines.last)
            // Cut within the last but one, finished without its end, then all of it.
            let cut = whole.count - last.count - 9
            let pieces = [
                (whole[..<cut], lines.count - 2), (whole[..<(whole.count - 1)], lines.count), (whole, lines.count),
            ]
            let input = ["--input", "product_view=product_view.ndjson", "--output", "json"]
            var read = 0
            for (index, (bytes, count)) in pieces.enumerated() {
                try project.write(Data(bytes), to: "product_view.ndjson")
                let run = try await project.start(["run", "ecommerce", "--until-idle"] + input).wait(
                    limit: .seconds(120))
                try #require(run.code == 0, "\(run)")
                let summary = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
                #expect(summary?["dead_letters"] as? Int == 0, "\(run)")
                read += summary?["events_read"] as? Int ?? 0
                #expect(read == count, "\(run)")
                #expect(run.errors.contains("product_view.ndjson ends within a record") == (index == 0), "\(run)")
            }
            _ = try await project.start(Self.final + input).wait(limit: .seconds(60))
            let grown = try await project.dump()
            let other = ["--set", "sinks.primary.sqlite.path=.streamplat/other.db"]
            try await project.streamplat("apply", "ecommerce", "--yes", settings: [other[1]])
            _ = try await project.start(Self.final + input + other).wait(limit: .seconds(60))
            #expect(try await project.dump(".streamplat/other.db") == grown)
        }

        @Test(
            "Wrong use is refused with what to write",
            arguments: [
                (["--input", "purchase=purchase.ndjson"], Int32(2), "--until-idle"),
                (["--until-idle", "--input", "purchase"], 2, "an event type and a file"),
                (["--until-idle", "--input", "purchas=purchase.ndjson"], 2, "did you mean 'purchase'?"),
                (["--until-idle", "--input", "purchase=a", "--input", "purchase=b"], 2, "twice"),
                (["--until-idle", "--input", "purchase=nowhere.ndjson"], 3, "nowhere.ndjson"),
                (
                    ["--until-idle", "--input", "purchase=domains/ecommerce.yaml", "--set", "runtime.cluster=true"], 2,
                    "exclude each other"
                ),
                (["--until-idle", "--input", "purchase=domains/ecommerce.yaml"], 2, "neither NDJSON nor"),
            ])
        func wrongUse(arguments: [String], code: Int32, text: String) async throws {
            let project = try TestProject()
            try await project.streamplat("apply", "ecommerce", "--yes")
            try project.write("{}\n", to: "a")
            let outcome = try await project.start(["run", "ecommerce"] + arguments).wait(limit: .seconds(60))
            #expect(outcome.code == code && outcome.errors.contains(text), "\(outcome)")
        }
    }
}
