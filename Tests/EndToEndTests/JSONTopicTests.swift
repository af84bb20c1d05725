import Foundation
import Testing

extension EndToEnd {
    @Suite("Topics of JSON messages")
    struct JSONTopicTests {
        /// Generates and counts; the dump of all tables.
        private func tables(
            _ project: TestProject, events: Int, settings: [String], cut: [String],
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws -> String {
            let sets = settings.flatMap { ["--set", $0] }
            try await project.streamplat(
                "apply", "ecommerce", "--yes", settings: settings, sourceLocation: sourceLocation)
            let stream = ["--events", "\(events)", "--seed", "42", "--start", "2024-05-06T00:00:00Z", "--span", "2h"]
            let outcome = try await project.start(["generate", "ecommerce"] + stream + sets).wait(limit: .seconds(300))
            try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
            let run = ["run", "ecommerce", "--until-idle", "--close-windows"] + cut + sets
            let ran = try await project.start(run).wait(limit: .seconds(300))
            try #require(ran.code == 0, "\(ran)", sourceLocation: sourceLocation)
            return try await project.dump()
        }

        @Test("The same events as JSON give the same tables as in Avro, whatever the batches and workers")
        func sameTables() async throws {
            let settings = GeneratedTests.disorder + ["kafka.topics.partitions=3"]
            let events = Requirements.events / 10
            let avro = try await tables(try TestProject(), events: events, settings: settings, cut: [])
            try #require(avro.utf8.count > 10_000)
            for cut in [["--workers", "1", "--batch-rows", "8192"], ["--workers", "2", "--batch-rows", "7"]] {
                let project = try TestProject()
                let text = String(decoding: try project.read("domains/ecommerce.yaml"), as: UTF8.self)
                let parts = text.components(separatedBy: "\naggregations:")
                try #require(parts.count == 2)
                let json = parts[0].replacing(/\n  - name: \w+/) { "\($0.output)\n    format: json" }
                try project.write(json + "\naggregations:" + parts[1], to: "domains/ecommerce.yaml")
                let counted = try await tables(project, events: events, settings: settings, cut: cut)
                #expect(counted == avro, "\(cut)")
            }
        }
    }
}
