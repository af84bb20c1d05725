import Diagnostics
import Generation
import PlatformModel
import Testing

@Suite("Sessions")
struct SessionTests {
    @Test("meet the conversion and abandonment rates")
    func rates() throws {
        let domain = shop { ($0.purchaseConversionRate, $0.cartAbandonmentRate) = (0.06, 0.7) }
        let generator = try EventGenerator(domain: domain, options: options(120_000, span: 72 * hour))
        while generator.next(maxRows: 8192) != nil {}
        let summary = generator.summary
        #expect(summary.sessions > 20_000)
        #expect(abs(Double(summary.purchases) / Double(summary.sessions) - 0.06) < 0.005)
        #expect(abs(1 - Double(summary.purchases) / Double(summary.carts) - 0.7) < 0.02)
    }

    @Test("buy what is in the cart, on one device, for price times quantity")
    func consistency() throws {
        let domain = shop { ($0.purchaseConversionRate, $0.cartAbandonmentRate) = (0.4, 0.2) }
        // As many entities as it takes that hardly one has two sessions.
        var large = domain
        large.synthetic.entityPoolSize = 1_000_000
        let rows = try generate(large, options(4000))
        let byUser = Dictionary(grouping: rows) { $0["user_id"] ?? "" }
        var bought = 0
        for events in byUser.values where events.count(where: { $0.type == 0 }) > 0 {
            guard let purchase = events.first(where: { $0.type == 4 }),
                events.count(where: { $0.type == 4 }) == 1
            else { continue }
            let cart = events.first { $0.type == 2 && $0["product_id"] == purchase["product_id"] }
            bought += 1
            #expect(cart != nil)
            #expect(cart?["price"] == purchase["price"])
            #expect(cart?["quantity"] == purchase["quantity"])
            #expect(cart?["device_type"] == purchase["device_type"])
            let price = try #require(Double(purchase["price"] ?? ""))
            let quantity = try #require(Double(purchase["quantity"] ?? ""))
            #expect(purchase["total_amount_cents"] == "\(Int((price * quantity * 100).rounded()))")
        }
        #expect(bought > 100)
    }

    @Test("follow the declared transitions and nothing else")
    func transitions() throws {
        var settings = SyntheticSettings()
        settings.entityPoolSize = 1_000_000
        settings.transitions = [
            .init(from: nil, to: "a", probability: 1), .init(from: "a", to: "b", probability: 0.5),
            .init(from: "b", to: "c", probability: 1),
        ]
        let domain = DomainDefinition(
            name: "abc", location: place, primaryKey: "user_id", eventTypes: ["a", "b", "c"].map { eventType($0) },
            synthetic: settings)
        let generator = try EventGenerator(domain: domain, options: options(10_000))
        while generator.next(maxRows: 1000) != nil {}
        let counts = generator.summary.eventsByType.map(\.count)
        #expect(abs(counts[0] - 5000) < 200)
        #expect(abs(counts[1] - counts[2]) <= 1)
        #expect(counts[0] == generator.summary.sessions)
    }

    @Test("need probabilities that add up and event types that exist")
    func badTransitions() throws {
        let domain = shop {
            $0.transitions = [
                .init(from: "search", to: "purchas", probability: 1), .init(from: "search", to: nil, probability: 2),
            ]
        }
        let error = #expect(throws: DiagnosticsError.self) { try EventGenerator(domain: domain, options: options(1)) }
        #expect(error?.diagnostics.items.map(\.code.id) == ["SP3106", "SP3106"])
    }

    @Test("cannot convert more than the carts allow")
    func impossibleRates() {
        let domain = shop { ($0.purchaseConversionRate, $0.cartAbandonmentRate) = (0.5, 0.7) }
        #expect(throws: DiagnosticsError.self) { try EventGenerator(domain: domain, options: options(1)) }
    }

    @Test("are had by few entities often and by many rarely")
    func skew() throws {
        let rows = try generate(shop { $0.entityPoolSize = 100 }, options(8000, types: ["search"]))
        var counts: [String: Int] = [:]
        for row in rows { counts[row["user_id"] ?? "", default: 0] += 1 }
        #expect(counts.count == 100)
        // Zipf: rank 1 is active 10^0.8 = 6.3 times as often as rank 10.
        let ratio = Double(counts["user_000001"] ?? 0) / Double(counts["user_000010"] ?? 1)
        #expect((4.5...8.5).contains(ratio))
    }
}
