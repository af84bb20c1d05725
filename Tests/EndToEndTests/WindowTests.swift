import Foundation
import Testing

extension EndToEnd {
    /// Session, cumulate and sliding windows over the events of the shop, as DuckDB has them.
    @Suite("Windows against DuckDB")
    struct WindowTests {
        static let aggregations = """
            aggregations:
              - name: visits
                from: [page_view, product_view, add_to_cart, remove_from_cart, purchase, search]
                window: { type: session, gap: 3 minutes }
                group_by: [user_id]
                measures:
                  - { name: events, type: count }
                  - { name: sessions, type: count_distinct, field: session_id, strict: true }
                  - { name: purchases, type: count, filter: "event_type = 'purchase'" }
              - name: bursts
                from: [purchase]
                window: { type: session, gap: 20 seconds }
                group_by: [currency, device_type]
                emit: final
                measures: &all
                  - { name: orders, type: count }
                  - { name: revenue, type: sum, field: total_amount }
                  - { name: average, type: avg, field: total_amount }
                  - { name: least, type: min, field: item_count }
                  - { name: most, type: max, field: total_amount }
                  - { name: buyers, type: count_distinct, field: user_id, strict: true }
                  - { name: large, type: sum, field: item_count, filter: "total_amount > 50" }
              - name: storms
                from: [search]
                window: { type: session, gap: 500 ms }
                type: count
              - name: so_far
                from: [purchase]
                window: { type: cumulate, duration: 2 hours, step: 10 minutes }
                group_by: [device_type]
                measures: *all
              - name: so_far_final
                from: [purchase]
                window: { type: cumulate, duration: 1 hour, step: 5 minutes, origin: 20 minutes }
                emit: final
                measures: *all
              - name: last_hour
                from: [purchase]
                window: { type: sliding, duration: 1 hour, slide: 1 minute }
                group_by: [device_type]
                measures: *all
              - name: last_half_hour
                from: [purchase]
                window: { type: sliding, duration: 30 minutes, slide: 2 minutes }
                emit: final
                measures: *all

            """

        /// The shop's file with other aggregations.
        static func domain(_ project: TestProject) throws -> String {
            let text = String(decoding: try project.read("domains/ecommerce.yaml"), as: UTF8.self)
            var kept: [Substring] = []
            var isKept = true
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                if let first = line.first, first != " ", first != "#" {
                    isKept = !["aggregations:", "alerts:"].contains { line.hasPrefix($0) }
                }
                if isKept { kept.append(line) }
            }
            return kept.joined(separator: "\n").replacingOccurrences(of: "domain: ecommerce", with: "domain: visits")
                + "\n" + aggregations
        }

        /// Each two of partitions, batch rows and workers meet once.
        static let cuts: [(partitions: Int, batchRows: Int, workers: Int)] = [
            (1, 1, 1), (1, 7, 2), (1, 1024, 4), (3, 1, 2), (3, 7, 4), (3, 1024, 1), (12, 1, 4), (12, 7, 1),
            (12, 1024, 2),
        ]

        @Test(
            "session, cumulate and sliding windows of events out of order, whatever the batches, workers and partitions"
        )
        func generated() async throws {
            let project = try TestProject()
            try project.write(try Self.domain(project), to: "domains/visits.yaml")
            // Its topics are the shop's.
            try FileManager.default.removeItem(atPath: project.path("domains/ecommerce.yaml"))
            let events = max(Requirements.events / 20, 5000)
            let stream =
                ["generate", "visits", "--events", "\(events)", "--seed", "7", "--start", "2024-05-06T00:00:00Z"]
                + ["--span", "5h"]
            let disorder = [
                "synthetic.entity_pool_size=500", "synthetic.out_of_order.share=0.3",
                "synthetic.out_of_order.up_to=10 seconds",
            ]
            func generate(_ more: [String], _ settings: [String]) async throws {
                let outcome = try await project.start(stream + more + (disorder + settings).flatMap { ["--set", $0] })
                    .wait(limit: .seconds(300))
                try #require(outcome.code == 0, "\(outcome)")
            }
            try await generate(["--out", "events.ndjson"], [])
            var databases: [String] = []
            for partitions in [1, 3, 12] {
                let log = [
                    "broker.embedded.path=.streamplat/log-\(partitions)", "kafka.topics.partitions=\(partitions)",
                ]
                for (index, cut) in Self.cuts.filter({ $0.partitions == partitions }).enumerated() {
                    let name = "p\(partitions)-b\(cut.batchRows)-w\(cut.workers)"
                    let own =
                        log + [
                            "sinks.primary.sqlite.path=.streamplat/\(name).db",
                            "runtime.checkpoint.path=.streamplat/checkpoints-\(name)", "runtime.flush_interval=20 ms",
                            "runtime.checkpoint.interval=100 ms",
                        ]
                    try await project.streamplat("apply", "visits", "--yes", settings: own)
                    if index == 0 { try await generate([], log) }
                    databases.append(".streamplat/\(name).db")
                    try await project.streamplat(
                        "run", "visits", "--until-idle", "--close-windows", "--workers", "\(cut.workers)",
                        "--batch-rows", "\(cut.batchRows)", settings: own)
                }
            }
            let verdict = try await project.python(
                "judge.py",
                ["generated", "--domain", "domains/visits.yaml", "--events", "events.ndjson", "--least-disorder"]
                    + ["\(events / 100)", "--least-rows", "5"] + databases.flatMap { ["--db", $0] })
            #expect(verdict.code == 0, "\(verdict)")
            let first = try await project.dump(databases[0])
            for database in databases.dropFirst() {
                #expect(try await project.dump(database) == first, "\(database) differs from \(databases[0])")
            }
        }
    }
}
