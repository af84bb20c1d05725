import DataPath
import Diagnostics
import Foundation
import Generation
import PlatformModel
import Testing

@Suite("Generated values")
struct ValueTests {
    private func rows(_ fields: [Field], samples: [String: [String]] = [:], count: Int = 2000) throws -> [Row] {
        try generate(
            DomainDefinition(
                name: "d", location: place, primaryKey: "user_id", eventTypes: [eventType("e", fields)],
                sampleData: samples), options(count))
    }

    private static let everyType: [(FieldType, @Sendable (String) -> Bool)] = [
        (.string, { !$0.isEmpty }), (.int, { Int32($0) != nil }), (.long, { Int64($0) != nil }),
        (.float, { Double($0).map { Double(Float($0)) == $0 } ?? false }), (.double, { Double($0) != nil }),
        (.boolean, { $0 == "true" || $0 == "false" }), (.bytes, { !$0.isEmpty }),
        (.date, { (19_800...19_900).contains(Int($0) ?? 0) }),
        (.timestamp, { (monday - 24 * hour...monday + 24 * hour).contains(Int64($0) ?? 0) }),
        (.uuid, { UUID(uuidString: $0) != nil }), (.decimal(precision: 10, scale: 2), { Int128($0) != nil }),
        (.decimal(precision: 2, scale: 2), { (Int128($0) ?? 100) < 100 }),
        (.enumeration(symbols: ["A", "B"]), { $0 == "A" || $0 == "B" }),
        (.array(.string), isJSON), (.map(.decimal(precision: 6, scale: 2)), isJSON),
        (.array(.record([field("n", .int), field("when", .timestamp)])), isJSON),
    ]

    private static let isJSON: @Sendable (String) -> Bool = {
        (try? JSONSerialization.jsonObject(with: Data($0.utf8))) != nil
    }

    @Test("fit every field type", arguments: everyType.indices)
    func types(index: Int) throws {
        let (type, fits) = Self.everyType[index]
        let values = try rows([field("x", type, nullable: true)], count: 300).map { $0["x"] }
        #expect(values.compactMap { $0 }.allSatisfy(fits))
        #expect(Set(values).count > 1)
    }

    @Test("keep a record's leaves null together")
    func records() throws {
        let location = field(
            "location", .record([field("country"), field("lat", .double, nullable: true)]), nullable: true)
        let found = try rows([location])
        let isNull = found.count { $0["location.country"] == nil }
        #expect((30...90).contains(isNull))
        #expect(found.allSatisfy { $0["location.country"] != nil || $0["location.lat"] == nil })
    }

    @Test("have a small share of nulls where null is allowed, none where not")
    func nulls() throws {
        let found = try rows([
            field("coupon", role: .attribute, nullable: true), field("note"), field("x_id", nullable: true),
        ])
        #expect((30...90).contains(found.count { $0["coupon"] == nil }))
        #expect(found.allSatisfy { $0["note"] != nil && $0["x_id"] != nil })
    }

    @Test("come from the sample data first, then from the field's weighted values")
    func samples() throws {
        let fields = [
            field("color", values: [.init(text: "red", weight: 3), .init(text: "blue", weight: 1)]),
            field("size", .int, values: [.init(text: "9")]), field("price", .money(scale: 2)),
        ]
        let found = try rows(fields, samples: ["size": ["1", "2"], "price": ["12.5", "7.99"]])
        let red = Double(found.count { $0["color"] == "red" }) / 2000
        #expect(abs(red - 0.75) < 0.04)
        #expect(Set(found.compactMap { $0["size"] }) == ["1", "2"])
        #expect(Set(found.compactMap { $0["price_cents"] }) == ["1250", "799"])
    }

    @Test("are the pool of entities and products that the sample data gives")
    func pools() throws {
        let found = try rows([field("product_id")], samples: ["user_id": ["ann", "bob"], "product_id": ["p1", "p2"]])
        #expect(Set(found.compactMap { $0["user_id"] }) == ["ann", "bob"])
        #expect(Set(found.compactMap { $0["product_id"] }) == ["p1", "p2"])
    }

    @Test("follow declared generators")
    func generators() throws {
        let found = try rows([
            field("u", .int, generator: .uniform(minimum: 1, maximum: 3)),
            field("n", .double, generator: .normal(mean: 10, deviation: 2)),
            field("l", .double, generator: .lognormal(median: 5, sigma: 1)),
            field("z", .long, generator: .zipf(count: 4, exponent: 1)),
            field("s", .long, generator: .sequence(start: 100, step: 5)),
            field("p", generator: .pattern("A-##?*")), field("c", generator: .constant("same")),
            field("m", .double, nullable: true, generator: .nullable(share: 0.5, .uniform(minimum: 0, maximum: 1))),
            field("e", generator: .provider("email")),
        ])
        #expect(Set(found.compactMap { $0["u"] }) == ["1", "2", "3"])
        let normal = found.compactMap { Double($0["n"] ?? "") }
        #expect(abs(normal.reduce(0, +) / 2000 - 10) < 0.2)
        #expect(abs(normal.map { ($0 - 10) * ($0 - 10) }.reduce(0, +) / 2000 - 4) < 0.5)
        #expect(abs(Double(found.count { (Double($0["l"] ?? "") ?? 0) < 5 }) - 1000) < 100)
        #expect(Set(found.compactMap { $0["z"] }) == ["1", "2", "3", "4"])
        #expect(found.prefix(3).map { $0["s"] } == ["100", "105", "110"])
        #expect(found.allSatisfy { $0["p"]?.wholeMatch(of: /A-[0-9]{2}[a-z][a-z0-9]/) != nil })
        #expect(found.allSatisfy { $0["c"] == "same" && $0["e"]?.contains("@example.com") == true })
        #expect(abs(found.count { $0["m"] == nil } - 1000) < 100)
    }

    @Test("have ids of version 4's shape, all different")
    func eventIDs() throws {
        let ids = try rows([]).compactMap { $0["event_id"] }
        #expect(Set(ids).count == 2000)
        let shape = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
        #expect(ids.allSatisfy { $0.wholeMatch(of: shape) != nil })
    }

    @Test("keep an entity's country and currency together")
    func home() throws {
        let found = try rows([field("billing_country"), field("currency")])
        var currencies: [String: Set<String>] = [:]
        for row in found { currencies[row["billing_country"] ?? "", default: []].insert(row["currency"] ?? "") }
        #expect(currencies["GB"] == ["GBP"])
        #expect(currencies.values.allSatisfy { $0.count == 1 })
    }

    @Test(
        "are refused where they cannot be made",
        arguments: [
            (field("x", .int, values: [.init(text: "many")]), "SP3102"),
            (field("x", .enumeration(symbols: ["A"]), values: [.init(text: "B")]), "SP3102"),
            (field("x", .string, generator: .uniform(minimum: 0, maximum: 1)), "SP3103"),
            (field("x", .int, generator: .uniform(minimum: 2, maximum: 1)), "SP3103"),
            (field("x", .int, generator: .nullable(share: 0.5, nil)), "SP3103"),
            (field("x", generator: .provider("emial")), "SP3104"),
        ])
    func refusals(field: Field, code: String) throws {
        let error = #expect(throws: DiagnosticsError.self) { try rows([field]) }
        #expect(error?.diagnostics.items.map(\.code.id) == [code])
    }
}
