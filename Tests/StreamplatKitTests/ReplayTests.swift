import DataPath
import Foundation
import PluginAPI
import StreamRuntime
import StreamplatKit
import Testing

/// A replay after the cause is mended gives exactly the rows that a clean run would.
@Suite("Replaying dead letters")
struct ReplayTests {
    static let domain = """
        domain: shop
        entity: { primary_key: user_id }
        event_types:
          - name: purchase
            raw_events: true
            metrics:
              - { name: quantity, type: long }
            dimensions: [currency]
        aggregations:
          - name: by_hour
            from: [purchase]
            group_by: [currency]
            window: { type: tumbling, duration: 1 hour }
            measures:
              - { name: events, type: count }
              - { name: total, type: sum, field: quantity }
          - name: sliding
            from: [purchase]
            type: count
            window: { type: sliding, duration: 10 minutes, slide: 2 minutes }
          - name: large
            from: [purchase]
            type: count
            filter: "quantity > 50"
            window: { type: tumbling, duration: 5 minutes }

        """

    static let start: Int64 = 1_600_000_000_000

    static func event(_ number: Int, at time: Int64, quantity: Int64 = 1) -> String {
        "{\"event_id\":\"e\(number)\",\"timestamp\":\(time),\"user_id\":\"u\",\"quantity\":\(quantity),"
            + "\"currency\":\"\(["EUR", "USD", "CHF"][number % 3])\"}"
    }

    /// The messages of events, in the wire format.
    static func messages(_ events: [String]) throws -> [[UInt8]] {
        let harness = try RunHarness(domain: domain)
        try harness.apply()
        try harness.ingest(events, as: "purchase")
        return try harness.values("events.purchase")
    }

    /// The same message as one of schema `id`.
    static func with(schema id: Int32, _ message: [UInt8]) -> [UInt8] {
        [0] + withUnsafeBytes(of: id.bigEndian) { Array($0) } + message.dropFirst(5)
    }

    /// A project whose topic holds messages, some of a schema that is not registered until ``mend()``.
    private final class Case {
        let harness: RunHarness
        private let schema: String
        static let id: Int32 = 2

        init(domain: String = ReplayTests.domain) throws {
            harness = try RunHarness(domain: domain)
            try harness.apply()
            schema = try #require(try harness.schema(of: "events.purchase-value"))
        }

        func send(_ messages: [[UInt8]], bad: Set<Int>) throws {
            try harness.send(
                messages.enumerated().map { index, message in
                    bad.contains(index) ? ReplayTests.with(schema: Self.id, message) : message
                }, to: "events.purchase")
        }

        /// Registers the schema that the bad messages name: the event type's own, with a word of documentation.
        func mend() throws {
            let documented = schema.replacingOccurrences(
                of: "\"type\":\"record\"", with: "\"type\":\"record\",\"doc\":\"another writer's\"")
            #expect(try harness.register(documented, subject: "another-value") == Self.id)
        }
    }

    /// Steps of a linear congruential generator.
    private struct Chance {
        var state: UInt64
        mutating func below(_ limit: Int64) -> Int64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int64(state >> 33) % limit
        }
    }

    private static let otherAggregations = """
          - name: visits
            from: [purchase]
            type: count
            group_by: [currency]
            window: { type: session, gap: 3 minutes }
          - name: corrected
            from: [purchase]
            type: count
            emit: final
            window: { type: tumbling, duration: 5 minutes }
            allowed_lateness: 4 minutes
          - name: growing
            from: [purchase]
            type: count
            window: { type: cumulate, duration: 1 hour, step: 10 minutes }

        """

    @Test("records of closed and open windows, out of order and late, give the rows of a clean run", arguments: 1...4)
    func exact(_ seed: UInt64) throws { try compareWithCleanRun(seed, Self.domain) }

    @Test("so do those of sessions, of cumulating windows and within the allowed lateness", arguments: 1...2)
    func otherWindows(_ seed: UInt64) throws { try compareWithCleanRun(seed, Self.domain + Self.otherAggregations) }

    private func compareWithCleanRun(_ seed: UInt64, _ domain: String) throws {
        var chance = Chance(state: seed)
        var time = Self.start
        let events = (0..<160).map { number -> String in
            time += chance.below(seed % 2 == 0 ? 100_000 : 20_000)
            // Most are in order, some late by seconds, some by minutes: those are late in windows of ten minutes.
            let lag = chance.below(8) == 0 ? chance.below(900_000) : chance.below(20_000)
            return Self.event(number, at: time - lag, quantity: chance.below(100))
        }
        let bad = Set((0..<160).filter { _ in chance.below(8) == 0 } + [0])
        let messages = try Self.messages(events)

        let clean = try Case(domain: domain)
        try clean.mend()
        try clean.send(messages, bad: bad)
        try clean.harness.run()

        let mended = try Case(domain: domain)
        // In three parts, with a run after each: the checkpoint has to remember what was refused.
        for part in 0..<3 {
            let range = part * 160 / 3..<(part + 1) * 160 / 3
            try mended.send(Array(messages[range]), bad: Set(bad.filter(range.contains).map { $0 - range.lowerBound }))
            try mended.harness.run { $0.workers = 1 + part }
        }
        #expect(try mended.harness.storedLetters().count == bad.count)
        #expect(try mended.harness.tables() != clean.harness.tables())
        try mended.mend()
        #expect(try mended.harness.replay().sent == bad.count)
        try mended.harness.run()
        #expect(try mended.harness.tables() == clean.harness.tables())

        // Once more, of what has been sent already: nothing counts twice.
        #expect(try mended.harness.replay().sent == 0)
        #expect(try mended.harness.replay(again: true).sent == bad.count)
        try mended.harness.run()
        #expect(try mended.harness.tables() == clean.harness.tables())
        try mended.harness.run { $0.fromEarliest = true }
        #expect(
            try mended.harness.tables() == clean.harness.tables(), "the copies are not counted beside the originals")
    }

    @Test("a record whose windows are open is counted at once, without counting anew")
    func open() throws {
        let events = (0..<10).map { Self.event($0, at: Self.start + Int64($0) * 1000, quantity: 99) }
        let messages = try Self.messages(events)
        let shop = try Case()
        try shop.send(messages, bad: [3, 4, 9])
        try shop.harness.run()
        try shop.mend()
        try shop.harness.replay("offset < 9")
        #expect(try shop.harness.run().eventsRead == 2)
        #expect(try shop.harness.rows("select sum(events) from by_hour") == ["9"])
        #expect(try shop.harness.rows("select sum(count) from large") == ["9"])
        #expect(try shop.harness.rows("select count(*) from purchase") == ["9"])
        let letters = try shop.harness.storedLetters()
        #expect(letters.map(\.isReplayed) == [true, true, false])
    }

    @Test("a record that an aggregation's filter refused is counted by that aggregation alone")
    func step() throws {
        let strict = Self.domain.replacingOccurrences(of: "quantity > 50", with: "quantity + 1 > 50")
        let events = (0..<6).map {
            Self.event($0, at: Self.start + Int64($0) * 1000, quantity: $0 == 2 ? Int64.max : 60)
        }
        let overflow = strict.replacingOccurrences(
            of: "      - { name: total, type: sum, field: quantity }\n", with: "")
        let harness = try RunHarness(domain: overflow)
        try harness.apply()
        try harness.ingest(events, as: "purchase")
        #expect(try harness.run().deadLetters == 1)
        #expect(try harness.storedLetters().map(\.letter.aggregation) == ["large"])

        // The cause is there still: the record is refused once more, by the same aggregation.
        #expect(try harness.replay().sent == 1)
        #expect(try harness.run().deadLetters == 1)
        let letters = try harness.storedLetters()
        #expect(letters.map(\.letter.retryCount) == [0, 1])
        #expect(letters.map(\.isReplayed) == [true, false])
        #expect(Set(letters.map(\.letter.origin)).count == 1, "both speak of the original")
        #expect(try harness.rows("select sum(events) from by_hour") == ["6"])

        // Mended: the aggregation begins anew by itself, so the copy must not count beside the original.
        try harness.write(overflow.replacingOccurrences(of: "quantity + 1 > 50", with: "quantity > 49"))
        try harness.apply()
        #expect(try harness.replay().sent == 1)
        #expect(try harness.run().deadLetters == 0)
        #expect(try harness.rows("select sum(count) from large") == ["6"])
        #expect(try harness.rows("select sum(events) from by_hour") == ["6"])
        #expect(try harness.rows("select count(*) from purchase") == ["6"])
    }

    @Test("a record that is still bad becomes one new letter, which tells how often it was sent")
    func stillBad() throws {
        let shop = try Case()
        try shop.send(try Self.messages([Self.event(0, at: Self.start)]) + [[9, 9]], bad: [])
        try shop.harness.run()
        for times in 1...2 {
            #expect(try shop.harness.replay().sent == 1)
            #expect(try shop.harness.run().deadLetters == 1)
            #expect(try shop.harness.storedLetters().last?.letter.retryCount == times)
        }
        #expect(try shop.harness.storedLetters("retries = 2 and not replayed").count == 1)
        #expect(try shop.harness.replay("code = 'SP6106'").plan.letters == 0)
    }

    @Test("lines of files are left, with what to do instead")
    func files() throws {
        let harness = try RunHarness(domain: Self.domain)
        try harness.apply()
        try harness.ingest([Self.event(0, at: Self.start), "{\"event_id\": 1"], as: "purchase")
        let (plan, sent) = try harness.replay()
        #expect(sent == 0 && plan.isEmpty)
        #expect(plan.refused.values.reduce(0, +) == 1)
        #expect(plan.refused.keys.first?.contains("ingest") == true)
        #expect(try harness.storedLetters("stage = 'ingest' and line = 2 and event_type = 'purchase'").count == 1)
    }
}
