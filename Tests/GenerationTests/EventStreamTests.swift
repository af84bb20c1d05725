import Diagnostics
import Generation
import PlatformModel
import Testing

@Suite("The stream of generated events")
struct EventStreamTests {
    @Test("is the same at any batch size", arguments: [1, 7, 333])
    func batchSizes(rows: Int) throws {
        let domain = shop { ($0.outOfOrderShare, $0.outOfOrderMilliseconds) = (0.1, 60_000) }
        let expected = try generate(domain, options(1000, seed: 7), maxRows: 1000)
        #expect(try generate(domain, options(1000, seed: 7), maxRows: rows) == expected)
    }

    @Test("differs with the seed")
    func seeds() throws {
        let ids = try [1, 2].map { seed in
            try Set(generate(shop(), options(300, seed: seed)).compactMap { $0["event_id"] })
        }
        #expect(ids[0].count == 300)
        #expect(ids[0].isDisjoint(with: ids[1]))
    }

    @Test("has exactly as many events as were asked for, inside the span", arguments: [0, 1, 2, 999])
    func count(events: Int) throws {
        let domain = shop { ($0.outOfOrderShare, $0.outOfOrderMilliseconds) = (0.2, 600_000) }
        let times = try times(domain, options(events, span: hour))
        #expect(times.count == events)
        #expect(times.allSatisfy { (monday..<monday + hour).contains($0) })
    }

    @Test("holds only the event types that were asked for", arguments: [["purchase"], ["add_to_cart", "purchase"]])
    func selection(types: [String]) throws {
        let domain = shop()
        let generator = try EventGenerator(domain: domain, options: options(500, types: types))
        while generator.next(maxRows: 128) != nil {}
        let summary = generator.summary
        #expect(summary.events == 500)
        #expect(summary.eventsByType.allSatisfy { types.contains($0.name) || $0.count == 0 })
        #expect(summary.eventsByType.filter { types.contains($0.name) }.allSatisfy { $0.count > 0 })
    }

    @Test("is spread over the last hour when nothing is said")
    func defaultSpan() throws {
        let domain = shop()
        let generator = try EventGenerator(
            domain: domain, options: GenerationOptions(events: 10, nowMilliseconds: monday))
        #expect(generator.startMilliseconds == monday - hour)
        #expect(generator.endMilliseconds == monday)
    }

    @Test("follows duration and rate from now on")
    func duration() throws {
        let generator = try EventGenerator(
            domain: shop(),
            options: GenerationOptions(rate: 50, durationMilliseconds: 10_000, nowMilliseconds: monday))
        #expect(generator.totalEvents == 500)
        #expect(generator.startMilliseconds == monday)
        #expect(generator.endMilliseconds == monday + 10_000)
    }

    @Test("has no end with a rate alone, and keeps step with the clock")
    func endless() throws {
        let generator = try EventGenerator(
            domain: shop(), options: GenerationOptions(rate: 100, nowMilliseconds: monday))
        #expect(generator.totalEvents == nil)
        for _ in 0..<10 { #expect(generator.next(maxRows: 100)?.isEmpty == false) }
        let last = try #require(generator.eventTime)
        #expect((monday + 9_900...monday + 10_000).contains(last))
    }

    @Test("is out of order, but never by more than the bound")
    func outOfOrder() throws {
        let bound: Int64 = 30_000
        let domain = shop { ($0.outOfOrderShare, $0.outOfOrderMilliseconds) = (0.2, bound) }
        let times = try times(domain, options(20_000, span: hour))
        var highest = Int64.min
        var late = 0
        var worst: Int64 = 0
        for time in times {
            if time < highest { late += 1 }
            worst = max(worst, highest > time ? highest - time : 0)
            highest = max(highest, time)
        }
        #expect(worst <= bound)
        #expect(worst > bound / 2)
        #expect((3000...4400).contains(late))
    }

    @Test("is in order when nothing is to be late")
    func inOrder() throws {
        let times = try times(shop(), options(5000))
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
    }

    @Test("has its peak hours")
    func hours() throws {
        let domain = shop { $0.peakHours = [12, 13] }
        var byHour = [Int](repeating: 0, count: 24)
        let events = 20_000
        for time in try times(domain, options(events)) { byHour[Int((time - monday) / hour)] += 1 }
        // 2 peak hours of weight 3, 2 beside them of 1.75, 20 of 1: 29.5 in all.
        let chiSquare = (0..<24).reduce(0.0) { sum, hour in
            let weight = hour == 12 || hour == 13 ? 3 : hour == 11 || hour == 14 ? 1.75 : 1
            let expected = Double(events) * weight / 29.5
            return sum + (Double(byHour[hour]) - expected) * (Double(byHour[hour]) - expected) / expected
        }
        // 23 degrees of freedom: 49.7 is exceeded once in a thousand.
        #expect(chiSquare < 49.7)
    }

    @Test("is busier at the weekend by the multiplier")
    func weekend() throws {
        let domain = shop { $0.weekendMultiplier = 2 }
        let times = try times(domain, options(9000, span: 7 * 24 * hour))
        let weekend = times.count { $0 >= monday + 5 * 24 * hour }
        // 2 days of weight 2 against 5 of weight 1.
        #expect(abs(Double(weekend) / 9000 - 4.0 / 9) < 0.01)
    }

    @Test("refuses what cannot be, all at once")
    func refusals() throws {
        let domain = shop {
            $0.entityPoolSize = 0
            $0.peakHours = [24]
        }
        let error = #expect(throws: DiagnosticsError.self) {
            try EventGenerator(domain: domain, options: options(10, types: ["purchse"]))
        }
        let found = try #require(error?.diagnostics.items)
        #expect(found.map(\.code.id) == ["SP3105", "SP3101", "SP3101"])
        #expect(found.first?.hint == "did you mean 'purchase'?")
    }
}
