import Diagnostics
import Foundation
import PluginAPI
import StreamRuntime
import StreamplatKit
import Testing

@Suite("Topics of JSON messages")
struct JSONTopicTests {
    /// A shipped domain, and the same with all its topics in JSON.
    private func variants(of domain: String) throws -> [RunHarness] {
        let text = try String(contentsOfFile: "\(packageRoot)/domains/\(domain).yaml", encoding: .utf8)
        let parts = text.components(separatedBy: "\naggregations:")
        try #require(parts.count == 2)
        let json = parts[0].replacing(/\n  - name: \w+/) { "\($0.output)\n    format: json" }
        return try [text, json + "\naggregations:" + parts[1]].map { try RunHarness(domain: $0) }
    }

    @Test("Generated ecommerce events give the tables that they give in Avro, distinct users too")
    func ecommerce() throws {
        let results = try variants(of: "ecommerce").map { harness in
            try harness.apply()
            try harness.generate(events: 600)
            let summary = try harness.run { $0.closeWindows = true }
            #expect(summary.eventsRead == 600)
            #expect(summary.deadLetters == 0)
            return try harness.tables()
        }
        let names = Set(results[0].compactMap { $0.split(separator: " ").first })
        #expect(names.count == 6 && names.contains("active_users"), "\(names)")
        #expect(results[0] == results[1])
    }

    @Test("Records, enums, decimals and raw events give the same tables too")
    func logistics() throws {
        let results = try variants(of: "logistics").map { harness in
            try harness.apply()
            try harness.generate(events: 200)
            #expect(try harness.run { $0.closeWindows = true }.deadLetters == 0)
            return try harness.tables()
        }
        #expect(results[0] == results[1])
    }

    static let foreign = """
        domain: shop
        entity: { primary_key: user_id }
        event_types:
          - name: purchase
            format: json
            event_time: { field: meta.at, format: "%d/%b/%Y:%H:%M:%S %z" }
            event_id: number
            raw_events: true
            metrics: [{ name: amount, type: money, source_name: total }]
            dimensions: [{ name: currency, source_name: cur }]
        aggregations:
          - name: total
            type: sum
            field: amount
            group_by: [currency]
            window: { type: tumbling, duration: 1 hour }

        """

    private func message(_ number: Int?, _ minute: Int, total: String = "1.25", cur: String = "EUR") -> String {
        let id = number.map { "\"number\": \($0), " } ?? ""
        let time = "13/Sep/2020:14:\(minute < 10 ? "0" : "")\(minute):40 +0200"
        return "{\(id)\"meta\": {\"at\": \"\(time)\"},\n \"user_id\": \"u\", \"total\": \(total), \"cur\": \"\(cur)\"}"
    }

    @Test("Messages that others write: their names, times and ids; bad ones become dead letters with their bytes")
    func foreignMessages() throws {
        let harness = try RunHarness(domain: Self.foreign)
        try harness.apply()
        let bad = ["", "no json", message(7, 5, total: "\"much\""), "{\"meta\": {}}"]
        let messages = [
            message(1, 0), bad[0], message(nil, 1, total: "2"), bad[1], bad[2], message(3, 2, cur: "USD"), bad[3],
        ]
        for text in messages { try harness.send(Array(text.utf8), to: "events.purchase") }
        let summary = try harness.run { $0.closeWindows = true }
        #expect(summary.eventsRead == 7)
        #expect(summary.deadLetters == 4)
        #expect(
            try harness.rows("select currency, total from total order by 1") == ["EUR|3.25", "USD|1.25"])
        let raw = try harness.rows("select event_id, timestamp, amount_cents from purchase order by timestamp")
        #expect(raw.count == 3)
        #expect(raw.first == "1|2020-09-13 12:00:40.000|125")
        #expect(raw.last == "3|2020-09-13 12:02:40.000|125")
        let letters = try harness.letters()
        #expect(letters.map(\.code) == ["SP6140", "SP3202", "SP3205", "SP3204"])
        #expect(letters.map(\.field) == [nil, nil, "amount_cents", "timestamp"])
        #expect(letters.map { $0.value.map { String(decoding: $0, as: UTF8.self) } } == bad)
        #expect(letters.allSatisfy { $0.stage == .decode })
        // The same messages in the same places have the same ids in another run.
        let again = try RunHarness(domain: Self.foreign)
        try again.apply()
        for text in messages { try again.send(Array(text.utf8), to: "events.purchase") }
        try again.run { $0.closeWindows = true }
        #expect(try again.rows("select event_id, timestamp, amount_cents from purchase order by timestamp") == raw)
    }

    @Test("Nothing is registered for JSON; the schema file is there all the same; a pattern cannot be written")
    func plan() throws {
        let harness = try RunHarness(domain: Self.foreign)
        try harness.apply()
        #expect(try harness.schema(of: "events.purchase-value") == nil)
        let error = #expect(throws: PipelineError.self) { try harness.generate(events: 10) }
        #expect(error?.code.id == "SP6141")
        try harness.write(Self.foreign.replacing("\"%d/%b/%Y:%H:%M:%S %z\"", with: "epoch_s"))
        try harness.generate(events: 10)
        #expect(try harness.run { $0.closeWindows = true }.deadLetters == 0)
        #expect(try harness.rows("select count(*) from purchase") == ["10"])
    }

    @Test("A file is ingested with the fields' names of messages into messages")
    func ingest() throws {
        let harness = try RunHarness(domain: Self.foreign.replacing("\"%d/%b/%Y:%H:%M:%S %z\"", with: "iso8601"))
        try harness.apply()
        try harness.ingest(
            [#"{"event_id":"x","timestamp":1600000000000,"user_id":"u","total":2.5,"cur":"EUR"}"#], as: "purchase")
        #expect(
            try harness.values("events.purchase").map { String(decoding: $0, as: UTF8.self) } == [
                #"{"number":"x","meta":{"at":"2020-09-13T12:26:40.000Z"},"user_id":"u","total":2.50,"cur":"EUR"}"#
            ])
    }
}
