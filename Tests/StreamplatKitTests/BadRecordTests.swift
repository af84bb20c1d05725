import DataPath
import Diagnostics
import Foundation
import Ingest
import PluginAPI
import StreamRuntime
import StreamplatKit
import Testing

@Suite("Records that cannot be used")
struct BadRecordTests {
    static let head = """
        domain: shop
        entity: { primary_key: user_id }
        event_types:
          - name: purchase
            metrics:
              - { name: quantity, type: long }
            dimensions: [currency]
            fields:
              - name: parts
                type: array<record>
                nullable: true
                fields: [{ name: sku, type: string }]
        aggregations:

        """
    static let total = """
          - name: total
            type: sum
            field: quantity
            window: { type: tumbling, duration: 1 hour }

        """
    static let strict = """
          - name: strict
            from: [purchase]
            window: { type: tumbling, duration: 1 hour }
            measures:
              - { name: all_of_them, type: count }
              - { name: large, type: count, filter: "quantity + 1 > 10" }
              - { name: larger, type: count, filter: "quantity + 2 > 10" }

        """
    static let byCurrency = """
          - name: by_currency
            from: [purchase]
            type: count
            group_by: [currency]
            window: { type: tumbling, duration: 1 hour }

        """

    /// 2020-09-13T12:26:40Z and on, a second apart.
    static func event(_ number: Int, quantity: Int64 = 1, timestamp: Int64? = nil) -> String {
        let time = timestamp ?? 1_600_000_000_000 + Int64(number) * 1000
        return
            "{\"event_id\":\"e\(number)\",\"timestamp\":\(time),\"user_id\":\"u\",\"quantity\":\(quantity),\"currency\":\"EUR\"}"
    }

    @Test("a row that a filter cannot judge counts in none of the aggregation's measures, and in the others")
    func failedFilter() throws {
        let harness = try RunHarness(domain: Self.head + Self.byCurrency + Self.strict)
        try harness.apply()
        try harness.ingest(
            [
                Self.event(0, quantity: 20), Self.event(1, quantity: .max - 1), Self.event(2, quantity: .max),
                Self.event(3),
            ],
            as: "purchase")
        let summary = try harness.run()
        #expect(summary.deadLetters == 2)
        #expect(try harness.rows("select all_of_them, large, larger from strict") == ["2|1|1"])
        #expect(try harness.rows("select count from by_currency") == ["4"])
        let letters = try harness.letters()
        #expect(letters.count == 2)
        for letter in letters {
            #expect(letter.stage == .step)
            #expect(letter.code == "SP6110")
            #expect(letter.message.contains("aggregation 'strict'"))
            #expect(letter.configPlace?.hasSuffix("shop.yaml:19:11") == true, "\(letter.configPlace ?? "")")
        }
        #expect(
            letters.map(\.origin)
                == [1, 2].map { .topic(TopicPartition(topic: "events.purchase", partition: 0), offset: $0) })
    }

    @Test("a record that cannot be decoded is one dead letter with the place of its event type")
    func undecodable() throws {
        let harness = try RunHarness(domain: Self.head + Self.total + Self.byCurrency)
        try harness.apply()
        try harness.ingest([Self.event(0)], as: "purchase")
        try harness.send([9, 9, 9], to: "events.purchase")
        try harness.run()
        let letters = try harness.letters()
        #expect(letters.map(\.code) == ["SP6105"])
        #expect(letters.first?.stage == .decode)
        #expect(letters.first?.configPlace?.hasSuffix("shop.yaml:4:11") == true, "\(letters.first?.configPlace ?? "")")
    }

    @Test("a backfill does not send old dead letters again, over restarts too, and sends new ones")
    func backfill() throws {
        let harness = try RunHarness(domain: Self.head + Self.total)
        try harness.apply()
        try harness.ingest([Self.event(0)], as: "purchase")
        try harness.send([9, 9, 9], to: "events.purchase")
        #expect(try harness.run().deadLetters == 1)
        try harness.write(Self.head + Self.total + Self.byCurrency)
        try harness.apply()
        try harness.send([8, 8], to: "events.purchase")
        try harness.ingest([Self.event(1)], as: "purchase")
        #expect(try harness.run().deadLetters == 1)
        #expect(try harness.rows("select count from by_currency") == ["2"])
        #expect(try harness.letters().map(\.value) == [[9, 9, 9], [8, 8]])
        // The only aggregation that has read everything goes; its section with it.
        try harness.write(Self.head + Self.strict)
        try harness.apply()
        #expect(try harness.run().deadLetters == 0)
        #expect(try harness.rows("select all_of_them from strict") == ["2"])
        #expect(try harness.run { $0.fromEarliest = true }.deadLetters == 2)
    }

    @Test("an event whose time no window can hold is a dead letter and stops nothing")
    func untimed() throws {
        let harness = try RunHarness(domain: Self.head + Self.total)
        try harness.apply()
        try harness.ingest([Self.event(0), Self.event(1)], as: "purchase")
        // The second record once more, with another time: schema id, event_id, timestamp.
        let original = try harness.values("events.purchase")[1]
        for time in [Int64.min, -(1 << 60) - 1, (1 << 60) + 1, .max] {
            var varint: [UInt8] = []
            var zigzag = UInt64(bitPattern: time << 1 ^ time >> 63)
            while zigzag >= 0x80 {
                varint.append(UInt8(truncatingIfNeeded: zigzag) | 0x80)
                zigzag >>= 7
            }
            varint.append(UInt8(zigzag))
            // Wire format 5 bytes, "e1" 3 bytes, then a varint of six bytes.
            try harness.send(Array(original[..<8]) + varint + Array(original[14...]), to: "events.purchase")
        }
        try harness.ingest([Self.event(2)], as: "purchase")
        #expect(try harness.run().deadLetters == 4)
        #expect(try harness.letters().map(\.code) == Array(repeating: "SP6120", count: 4))
        #expect(try harness.letters().allSatisfy { $0.field == "timestamp" })
        #expect(try harness.rows("select total from total") == ["3"])
    }

    @Test("a value that was read and cannot be encoded is a dead letter with line, column and bytes of its record")
    func encoding() throws {
        let harness = try RunHarness(domain: Self.head + Self.total)
        try harness.apply()
        let bad = Self.event(1).dropLast() + ", \"parts\": [{\"sku\": \"a\", \"sku\": \"b\"}]}"
        let result = try harness.ingest(["", Self.event(0), String(bad), Self.event(2)], as: "purchase")
        #expect(result.summary.good == 2)
        #expect(result.summary.bad == 1)
        let letter = try #require(try harness.letters().first)
        #expect(letter.code == "SP3302")
        #expect(letter.stage == .ingest)
        #expect(letter.field?.hasPrefix("parts") == true)
        #expect(letter.value.map { String(decoding: $0, as: UTF8.self) } == String(bad))
        guard case .file(_, let line, let column) = letter.origin else {
            Issue.record("it is of a file")
            return
        }
        #expect(line == 3)
        #expect(column == bad.count - "[{\"sku\": \"a\", \"sku\": \"b\"}]}".count + 1)
        try harness.run()
        #expect(try harness.rows("select total from total") == ["2"])
    }
}
