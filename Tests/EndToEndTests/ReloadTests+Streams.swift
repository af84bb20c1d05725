import Foundation
import Testing

extension EndToEnd.ReloadTests {
    /// - Parameters:
    ///   - limit: What an order of `big` is above.
    ///   - isGrown: With another stream, and an aggregation that reads it.
    private func streams(limit: Int, isGrown: Bool) -> String {
        let stream = """
              - name: nearby
                from: order
                steps: [{ filter: "country in ('AT', 'DE')" }, { derive: { half: "amount / 2" } }]
                sink: primary
            """
        let aggregation = """
              - name: nearby_orders
                from: [nearby]
                type: count
                group_by: [country]
                window: { type: tumbling, duration: 10 minutes }
            """
        return """
            domain: shop
            entity: { primary_key: user_id }
            event_types:
              - { name: order, raw_events: true, metrics: [{ name: amount, type: money }], dimensions: [country] }
            streams:
              - name: big
                from: order
                steps:
                  - filter: amount > \(limit)
                  - derive: { hour: "date_trunc('hour', timestamp)" }
                sink: primary
              - { name: twins, from: order, steps: [{ derive: { twice: "amount_cents * 2" } }], sink: primary }
            \(isGrown ? stream : "")
            aggregations:
              - \(Self.orders)
              - { name: per_hour, from: [big], type: count, group_by: [hour], window: { type: tumbling, duration: 1 hour } }
            \(isGrown ? aggregation : "")
            sample_data: { country: [AT, CH, DE, FR] }

            """
    }

    /// Tables, and what SQLite makes of the raw events for them.
    private func answers(limit: Int) -> [(String, String)] {
        [
            (
                "SELECT event_id, amount_cents, hour FROM big",
                "SELECT event_id, amount_cents, substr(timestamp, 1, 14) || '00:00.000' FROM \"order\" "
                    + "WHERE amount_cents > \(limit)00"
            ),
            ("SELECT event_id, twice FROM twins", "SELECT event_id, amount_cents * 2 FROM \"order\""),
            (
                "SELECT hour, count FROM per_hour",
                "SELECT substr(timestamp, 1, 14) || '00:00.000' AS h, count(*) FROM \"order\" "
                    + "WHERE amount_cents > \(limit)00 GROUP BY h"
            ),
            (
                "SELECT event_id, country FROM nearby",
                "SELECT event_id, country FROM \"order\" WHERE country IN ('AT', 'DE')"
            ),
            (
                "SELECT country, sum(count) FROM nearby_orders GROUP BY 1",
                "SELECT country, count(*) FROM \"order\" WHERE country IN ('AT', 'DE') GROUP BY 1"
            ),
        ]
    }

    @Test("A new stream and a changed step backfill beside streams that go on, also when the run is killed meanwhile")
    func streams() async throws {
        let project = try TestProject()
        try project.write(streams(limit: 100, isGrown: false), to: "domains/shop.yaml")
        try project.write("", to: "environments/local.yaml")
        try await project.streamplat("apply", "shop", "--yes")
        let arguments = [
            "run", "shop", "--apply", "--output", "json", "--set", "runtime.flush_interval=20 ms", "--set",
            "runtime.checkpoint.interval=50 ms",
        ]
        var run = try project.start(arguments)
        try await wait(run, "run started")
        let generator = try project.start(Self.stream + ["--rate", "2000"])
        let changes = [
            (streams(limit: 100, isGrown: true), "added: stream nearby, nearby_orders"),
            (streams(limit: 200, isGrown: true), "counted anew: stream big, per_hour"),
            (streams(limit: 300, isGrown: true), "counted anew: stream big, per_hour"),
        ]
        for (index, (text, change)) in changes.enumerated() {
            try replace(project, "domains/shop.yaml", text)
            run.send(SIGHUP)
            try await wait(run, Self.taken, times: index + 1)
            #expect(try run.errorsSoFar.contains("changes=\"\(change)\""))
        }
        run.send(SIGKILL)
        _ = try await run.wait(limit: .seconds(30))
        run = try project.start(arguments)
        let generated = try await generator.wait(limit: .seconds(120))
        #expect(generated.code == 0, "\(generated)")
        try await wait(run, "run started")
        _ = try await end(run)
        try await finish(project)
        for (ours, theirs) in answers(limit: 300) {
            let verdict = try await project.python("same_answers.py", [Self.database, ours, theirs])
            #expect(verdict.code == 0, "\(verdict)")
        }
        #expect(try await project.dump() == undisturbed(project))
        let raw = try await project.python(
            "same_answers.py", [Self.database, "SELECT count(*) FROM \"order\"", "SELECT \(Self.events)"])
        #expect(raw.code == 0, "\(raw)")
    }
}
