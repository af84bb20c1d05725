import Foundation
import Testing

extension EndToEnd {
    @Suite("Generated events against DuckDB")
    struct GeneratedTests {
        /// How a run is cut up; none of it may show in the tables.
        struct Cut: Sendable {
            var partitions: Int
            var batchRows: Int
            var workers: Int

            var name: String { "p\(partitions)-b\(batchRows)-w\(workers)" }
        }

        /// Every partition count with every batch size and every worker count.
        static let cuts = [1, 3, 12].flatMap { partitions in
            [1, 7, 1024, 8192].flatMap { batchRows in
                [1, 2, 4].map { Cut(partitions: partitions, batchRows: batchRows, workers: $0) }
            }
        }

        /// As far out of order as the watermark allows.
        static let disorder = ["synthetic.out_of_order.share=0.3", "synthetic.out_of_order.up_to=10 seconds"]

        /// Generates once per partition count, runs every cut into a database of its own, and judges them all at once.
        private func judge(
            _ domain: String, events: Int, span: String, cuts: [Cut], settings: [String] = [],
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let project = try TestProject()
            let stream = ["--events", "\(events)", "--seed", "42", "--start", "2024-05-06T00:00:00Z", "--span", span]
            func generate(_ more: [String], _ settings: [String]) async throws {
                let arguments = ["generate", domain] + stream + more + settings.flatMap { ["--set", $0] }
                let outcome = try await project.start(arguments).wait(limit: .seconds(300))
                try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
            }
            try await generate(["--out", "events.ndjson"], settings)
            var databases: [String] = []
            for partitions in Set(cuts.map(\.partitions)).sorted() {
                let log =
                    settings + [
                        "broker.embedded.path=.streamplat/log-\(partitions)", "kafka.topics.partitions=\(partitions)",
                    ]
                try await project.streamplat("apply", domain, "--yes", settings: log, sourceLocation: sourceLocation)
                try await generate([], log)
                for cut in cuts where cut.partitions == partitions {
                    databases.append(".streamplat/\(cut.name).db")
                    let own =
                        log + [
                            "sinks.primary.sqlite.path=.streamplat/\(cut.name).db",
                            "runtime.checkpoint.path=.streamplat/checkpoints-\(cut.name)",
                        ]
                    try await project.streamplat(
                        "apply", domain, "--yes", settings: own, sourceLocation: sourceLocation)
                    try await project.streamplat(
                        "run", domain, "--until-idle", "--close-windows", "--from-earliest", "--workers",
                        "\(cut.workers)",
                        "--batch-rows", "\(cut.batchRows)", settings: own, sourceLocation: sourceLocation)
                }
            }
            let verdict = try await project.python(
                "judge.py",
                [
                    "generated", "--domain", "domains/\(domain).yaml", "--events", "events.ndjson", "--least-disorder",
                    "\(events / 100)",
                ]
                    + databases.flatMap { ["--db", $0] })
            #expect(verdict.code == 0, "\(verdict)", sourceLocation: sourceLocation)
            // Beyond DuckDB's own rounding: the same bits whatever the cut.
            let first = try await project.dump(databases[0])
            for database in databases.dropFirst() {
                #expect(
                    try await project.dump(database) == first, "\(database) differs from \(databases[0])",
                    sourceLocation: sourceLocation)
            }
        }

        @Test("A million ecommerce events: all six tables, whatever the batches, workers and partitions")
        func ecommerce() async throws {
            try await judge(
                "ecommerce", events: Requirements.events, span: "6h", cuts: Self.cuts, settings: Self.disorder)
        }

        @Test("The other domains", arguments: ["iot", "fintech", "logistics"])
        func otherDomains(_ domain: String) async throws {
            try await judge(
                domain, events: Requirements.events / 10, span: "26h",
                cuts: [Cut(partitions: 1, batchRows: 1024, workers: 1), Cut(partitions: 3, batchRows: 7, workers: 2)],
                settings: Self.disorder)
        }

        @Test("The same seed gives the same bytes, in files and in the log; another seed others")
        func sameSeedSameBytes() async throws {
            let project = try TestProject()
            func generate(_ seed: String, _ more: [String]) async throws {
                let arguments = [
                    "generate", "ecommerce", "--events", "\(Requirements.events / 10)", "--seed", seed, "--start",
                    "2024-05-06",
                    "--span", "2h",
                ]
                let outcome = try await project.start(arguments + more).wait(limit: .seconds(300))
                try #require(outcome.code == 0, "\(outcome)")
            }
            for ending in ["ndjson", "csv", "avro"] {
                let type = ending == "ndjson" ? [] : ["--event-type", "purchase"]
                for (name, seed) in [("a", "42"), ("b", "42"), ("c", "43")] {
                    try await generate(seed, ["--out", "\(name).\(ending)"] + type)
                }
                #expect(try project.read("a.\(ending)").count > Requirements.events, "\(ending) file")
                #expect(try project.read("a.\(ending)") == project.read("b.\(ending)"), "\(ending) files of one seed")
                #expect(try project.read("a.\(ending)") != project.read("c.\(ending)"), "\(ending) files of two seeds")
            }
            for log in ["log-a", "log-b"] {
                try await project.streamplat(
                    "apply", "ecommerce", "--yes", settings: ["broker.embedded.path=.streamplat/\(log)"])
                try await generate("42", ["--set", "broker.embedded.path=.streamplat/\(log)"])
            }
            let segments = project.files(".streamplat/log-a", suffix: ".log")
            #expect(!segments.isEmpty)
            #expect(segments == project.files(".streamplat/log-b", suffix: ".log"))
            for segment in segments {
                #expect(
                    try withoutTimes(project.read(".streamplat/log-a/\(segment)"))
                        == withoutTimes(project.read(".streamplat/log-b/\(segment)")),
                    "\(segment)")
            }
        }

        /// A segment without the times at which its batches were appended.
        private func withoutTimes(_ segment: Data) -> [UInt8] {
            var bytes = Array(segment)
            var start = 0
            while start + 12 <= bytes.count {
                for index in start + 12..<min(start + 16, bytes.count) { bytes[index] = 0 }
                start += 12 + bytes[start + 8..<start + 12].reduce(0) { $0 << 8 | Int($1) }
            }
            return bytes
        }
    }
}
