import Diagnostics
import Foundation
import StreamRuntime
import StreamplatKit
import Testing

/// `runtime.memory_limit`: a run stops before it takes more, and nothing is lost.
@Suite("The limit of memory")
struct MemoryLimitTests {
    private static let domain = """
        domain: shop
        entity: { primary_key: user_id }
        event_types:
          - name: purchase
            attributes: [basket]
            metrics:
              - { name: quantity, type: long }
        aggregations:
          - name: by_basket
            from: [purchase]
            group_by: [basket]
            window: { type: tumbling, duration: 1 day }
            measures:
              - { name: purchases, type: count }
              - { name: quantity, type: sum, field: quantity }
              - { name: users, type: count_distinct, field: user_id }

        """

    private func harness() throws -> RunHarness {
        let harness = try RunHarness(domain: Self.domain)
        try harness.apply()
        try harness.ingest(
            (0..<30_000).map { number in
                "{\"event_id\":\"e\(number)\",\"timestamp\":\(1_600_000_000_000 + number),\"user_id\":\"u\(number % 7)\","
                    + "\"quantity\":\(number),\"basket\":\"basket \(number % 20_000)\"}"
            }, as: "purchase")
        return harness
    }

    private func run(_ harness: RunHarness, limit: String, workers: Int) throws -> RunSummary {
        let settings = "{ memory_limit: \(limit), flush_interval: 1 ms, checkpoint: { interval: 1 ms } }"
        try "kafka: { topics: { partitions: 1 } }\nruntime: \(settings)\n".write(
            to: harness.folder.appendingPathComponent("environments/local.yaml"), atomically: true, encoding: .utf8)
        let system = try harness.open()
        defer { try? system.close() }
        return try system.makePipeline(
            RunOptions(untilIdle: true, closeWindows: true, workers: workers, batchRows: 100)
        ).run()
    }

    @Test(
        "the run stops and says who holds what; with a higher limit it goes on to the same tables", arguments: [1, 3])
    func stopsAndGoesOn(_ workers: Int) throws {
        let undisturbed = try harness()
        _ = try run(undisturbed, limit: "auto", workers: 2)
        let stopped = try harness()
        let error = #expect(throws: PipelineError.self) { _ = try run(stopped, limit: "3 MiB", workers: workers) }
        #expect(error?.code == .memoryLimit && error?.exitCode == 1, "\(String(describing: error))")
        #expect(error?.message.contains("of 3072 KiB allowed: aggregation 'by_basket' holds ") == true)
        #expect(error?.hint?.contains("runtime.memory_limit") == true)
        // As long as the limit is too low it says so again, also while it reads the checkpoint.
        let again = #expect(throws: PipelineError.self) { _ = try run(stopped, limit: "1 MiB", workers: 2) }
        #expect(again?.code == .memoryLimit, "\(String(describing: again))")
        let summary = try run(stopped, limit: "64 MiB", workers: 2)
        #expect(summary.eventsRead <= 30_000)
        #expect(try stopped.tables() == undisturbed.tables())
        #expect(try stopped.tables().count == 20_000)
    }
}
