import DataPath
import Diagnostics
import PlatformModel

/// Chooses the provider of one field, in the order sample data, values, generator, name, type.
struct ProviderMaker {
    let planner: ColumnPlanner
    let type: EventType
    let leaves: [String: ColumnPlanner.Leaf]
    let leaf: ColumnPlanner.Leaf
    let salt: UInt64
    /// After ``make(into:)``: the share of nulls of the field itself.
    private(set) var nullShare: Double?

    init(
        planner: ColumnPlanner, type: EventType, leaves: [String: ColumnPlanner.Leaf], leaf: ColumnPlanner.Leaf,
        salt: UInt64
    ) {
        self.planner = planner
        self.type = type
        self.leaves = leaves
        self.leaf = leaf
        self.salt = salt
    }

    private var field: Field { leaf.field }
    private var isKey: Bool { leaf.path == type.primaryKey }

    mutating func make(into diagnostics: inout Diagnostics) -> (any ValueProvider)? {
        let entry = ProviderCatalog.guess(field.name)
        let isNatural = isKey || entry?.isAlwaysThere == true
        nullShare = field.isNullable && !isNatural ? ColumnPlanner.nullShare : 0
        let samples = planner.domain.sampleData[leaf.path] ?? planner.domain.sampleData[field.name] ?? []
        let values = samples.isEmpty ? field.values : samples.map { WeightedValue(text: $0) }
        if !values.isEmpty { return list(values, entry, into: &diagnostics) }
        if let generator = field.generator { return declared(generator, into: &diagnostics) }
        if isKey { return entityKey() }
        if let entry, let provider = provider(entry) { return provider }
        return byType()
    }

    // MARK: Lists

    private func list(
        _ values: [WeightedValue], _ entry: ProviderCatalog.Entry?, into diagnostics: inout Diagnostics
    ) -> (any ValueProvider)? {
        guard values.allSatisfy({ $0.weight >= 0 && $0.weight.isFinite }), values.contains(where: { $0.weight > 0 })
        else {
            diagnostics.error(
                .invalidSampleValue, "the weights of the values of '\(leaf.path)' must not be negative, nor all 0",
                at: field.location)
            return nil
        }
        let scope = scope(entry)
        var selection = Selection.weighted(AliasTable(weights: values.map(\.weight)), scope, salt: salt)
        if isKey { selection = .entityNumber }
        // A list as long as the products' describes them one by one.
        if scope == .product, values.count == planner.prices.count { selection = .productNumber }
        func pick<Element: BitwiseCopyable>(
            _ parse: (String) -> Element?, _ vector: @escaping (ColumnVector) -> FixedVector<Element>?
        ) -> (any ValueProvider)? {
            let parsed = values.map { parse($0.text) }
            for (value, result) in zip(values, parsed) where result == nil {
                reject(value.text, into: &diagnostics)
            }
            return parsed.contains { $0 == nil }
                ? nil : PickFixed(values: parsed.compactMap { $0 }, selection: selection, vector: vector)
        }
        func int64(_ vector: ColumnVector) -> FixedVector<Int64>? {
            if case .int64(let vector) = vector { vector } else { nil }
        }
        switch field.type {
        case .array, .map: return elements(values, into: &diagnostics)
        case .string, .bytes, .record:
            return PickText(table: TextTable(values.map(\.text)), selection: selection)
        case .uuid:
            for value in values where !SampleText.isUUID(value.text) { reject(value.text, into: &diagnostics) }
            return PickText(table: TextTable(values.map { $0.text.lowercased() }), selection: selection)
        case .enumeration(let symbols):
            for value in values where !symbols.contains(value.text) { reject(value.text, into: &diagnostics) }
            return PickText(table: TextTable(values.map(\.text)), selection: selection)
        case .boolean:
            return pick({ $0 == "true" ? true : $0 == "false" ? false : nil }) {
                if case .boolean(let vector) = $0 { vector } else { nil }
            }
        case .int: return pick({ Int32($0).map(Int64.init) }, int64)
        case .long: return pick({ Int64($0) }, int64)
        case .money(let scale): return pick({ SampleText.scaled($0, scale).flatMap { Int64(exactly: $0) } }, int64)
        case .date: return pick({ SampleText.days($0) }, int64)
        case .timestamp: return pick({ SampleText.milliseconds($0) }, int64)
        case .decimal(_, let scale):
            return pick({ SampleText.scaled($0, scale) }) { if case .int128(let vector) = $0 { vector } else { nil } }
        case .float:
            return pick({ Float($0).map { Double($0) } }) { if case .double(let vector) = $0 { vector } else { nil } }
        case .double: return pick({ Double($0) }) { if case .double(let vector) = $0 { vector } else { nil } }
        }
    }

    /// Arrays and maps whose innermost elements are drawn from `values`.
    private func elements(_ values: [WeightedValue], into diagnostics: inout Diagnostics) -> (any ValueProvider)? {
        var element = field.type
        while case .array(let inner) = element { element = inner }
        while case .map(let inner) = element { element = inner }
        let isQuoted: Bool
        switch element {
        case .string, .bytes, .uuid, .enumeration, .date, .timestamp: isQuoted = true
        case .int, .long, .float, .double, .boolean, .decimal, .money: isQuoted = false
        case .record, .array, .map:
            diagnostics.error(
                .invalidSampleValue, "field '\(leaf.path)' holds nested values, which cannot be listed",
                at: field.location,
                hint: "leave its values away: they are made up by type")
            return nil
        }
        var samples: [JSONText.Sample] = []
        for value in values {
            guard let text = JSONText.literal(value.text, of: element, isQuoted: isQuoted) else {
                reject(value.text, into: &diagnostics)
                return nil
            }
            samples.append(JSONText.Sample(literal: text))
        }
        return JSONText(
            type: field.type, words: [], salt: salt, samples: samples, choice: AliasTable(weights: values.map(\.weight))
        )
    }

    private func reject(_ text: String, into diagnostics: inout Diagnostics) {
        diagnostics.error(
            .invalidSampleValue, "'\(text)' is not a value of field '\(leaf.path)' of event type '\(type.name)'",
            at: field.location)
    }

    // MARK: Declared generators

    private mutating func declared(
        _ generator: GeneratorSpec, into diagnostics: inout Diagnostics
    ) -> (any ValueProvider)? {
        nullShare = 0
        func refuse(_ reason: String) -> (any ValueProvider)? {
            diagnostics.error(
                .unsuitableGenerator, "the generator of field '\(leaf.path)' \(reason)", at: field.location)
            return nil
        }
        func numbers(_ distribution: NumberProvider.Distribution) -> (any ValueProvider)? {
            guard let target = NumberTarget(field.type) else { return refuse("makes numbers, the field holds none") }
            return NumberProvider(distribution: distribution, scope: .event, salt: salt, target: target)
        }
        let isWhole = field.type == .int || field.type == .long
        switch generator {
        case .uniform(let low, let high):
            guard low <= high, (high - low).isFinite else { return refuse("has a minimum above its maximum") }
            return numbers(isWhole ? .integers(low.rounded(.up), high.rounded(.down)) : .uniform(low, high))
        case .normal(let mean, let deviation):
            guard deviation >= 0, mean.isFinite, deviation.isFinite else { return refuse("has a negative deviation") }
            return numbers(.normal(mean: mean, deviation: deviation, -1e300...1e300))
        case .lognormal(let median, let sigma):
            guard median > 0, sigma >= 0, median.isFinite, sigma.isFinite else {
                return refuse("needs a median above 0 and a sigma of at least 0")
            }
            return numbers(.lognormal(median: median, sigma: sigma))
        case .zipf(let count, let exponent):
            guard (1...10_000_000).contains(count), exponent >= 0, exponent.isFinite else {
                return refuse("needs a count between 1 and 10,000,000 and an exponent of at least 0")
            }
            return numbers(.zipf(AliasTable(zipf: count, exponent: exponent)))
        case .sequence(let start, let step): return numbers(.sequence(start: Double(start), step: Double(step)))
        case .pattern(let pattern):
            guard field.type == .string else { return refuse("makes text, the field holds none") }
            return TemplateText(parts: TemplateText.parts(pattern: pattern), scope: .event, salt: salt)
        case .constant(let text): return list([WeightedValue(text: text)], nil, into: &diagnostics)
        case .nullable(let share, let inner):
            guard (0...1).contains(share) else { return refuse("has a share of nulls that is not between 0 and 1") }
            guard field.isNullable || share == 0 else { return refuse("makes nulls, the field is required") }
            let provider =
                inner.map { declared($0, into: &diagnostics) }
                ?? ProviderCatalog.guess(field.name).flatMap { self.provider($0) } ?? byType()
            nullShare = share
            return provider
        case .provider(let name):
            guard let entry = ProviderCatalog.entry(named: name) else {
                let known = ProviderCatalog.entries.map(\.name)
                diagnostics.error(
                    .unknownValueProvider, "there is no value provider '\(name)'", at: field.location,
                    hint: nearestName(to: name, among: known).map { "did you mean '\($0)'?" }
                        ?? "known are \(known.joined(separator: ", "))")
                return nil
            }
            return provider(entry) ?? refuse("'\(name)' does not make values of the field's type")
        }
    }

    // MARK: By name and by type

    /// Nil when the entry's values do not fit the field's type.
    private func provider(_ entry: ProviderCatalog.Entry) -> (any ValueProvider)? {
        func weighted(_ texts: [String], weights: [Double]? = nil, _ scope: SeedScope, salt: UInt64) -> PickText {
            let alias = AliasTable(weights: weights ?? texts.map { _ in 1 })
            return PickText(table: TextTable(texts), selection: .weighted(alias, scope, salt: salt))
        }
        let isText = field.type == .string
        let places = ProviderCatalog.places
        // One draw for all that says where an entity is at home, so that country, currency and city agree.
        let home = nameSeed("home") ^ splitSeed(planner.seed, 31)
        switch entry.recipe {
        case .words(let words, _): return isText ? weighted(words, scope(entry), salt: salt) : nil
        case .place(let text):
            return isText ? weighted(places.map(text), weights: places.map(\.weight), .entity, salt: home) : nil
        case .coordinate(let number):
            guard field.type == .double || field.type == .float else { return nil }
            let isFloat = field.type == .float
            let degrees = places.map(number).map { isFloat ? Double(Float($0)) : $0 }
            let alias = AliasTable(weights: places.map(\.weight))
            return PickFixed(values: degrees, selection: .weighted(alias, .entity, salt: home)) {
                if case .double(let vector) = $0 { vector } else { nil }
            }
        case .template(let parts, _):
            return isText ? TemplateText(parts: parts, scope: scope(entry), salt: salt) : nil
        case .number(let distribution, _, let places):
            return NumberTarget(field.type, places: places).map {
                NumberProvider(distribution: distribution, scope: scope(entry), salt: salt, target: $0)
            }
        case .price: return NumberTarget(field.type, places: 2).map { ProductPrice(prices: planner.prices, target: $0) }
        case .total:
            return NumberTarget(field.type, places: 2).map {
                TotalAmount(
                    prices: planner.prices, priceColumn: column(of: "price"), quantityColumn: column(of: "quantity"),
                    target: $0)
            }
        case .entity: return entityKey()
        case .product:
            guard isText else { return nil }
            return productNames().map { PickText(table: TextTable($0), selection: .productNumber) }
                ?? TemplateText(parts: [.literal(Array("p_".utf8)), .product(5)], scope: .product, salt: salt)
        case .uuid: return isText || field.type == .uuid ? UUIDText(scope: .event, salt: salt) : nil
        }
    }

    private func productNames() -> [String]? {
        let names = planner.domain.sampleData["product_id"] ?? []
        return names.isEmpty ? nil : names
    }

    /// The numeric column of this event type whose name says that it is the price or the quantity.
    private func column(of provider: String) -> (index: Int, type: FieldType)? {
        for (index, column) in type.columns.enumerated() {
            guard let other = leaves[column.name], other.path != leaf.path, NumberTarget(other.field.type) != nil,
                ProviderCatalog.guess(other.field.name)?.name == provider
            else { continue }
            return (index, other.field.type)
        }
        return nil
    }

    private func entityKey() -> (any ValueProvider)? {
        switch field.type {
        case .uuid: return UUIDText(scope: .entity, salt: nameSeed(field.name))
        case .int, .long: return NumberTarget(field.type).map { EntityNumber(target: $0) }
        case .string:
            let prefix = field.name.hasSuffix("_id") ? String(field.name.dropLast(2)) : "\(field.name)_"
            return TemplateText(parts: [.literal(Array(prefix.utf8)), .entity(6)], scope: .entity, salt: salt)
        default: return byType()
        }
    }

    private func byType() -> (any ValueProvider)? {
        func number(_ distribution: NumberProvider.Distribution, places: Int? = nil) -> (any ValueProvider)? {
            NumberTarget(field.type, places: places).map {
                NumberProvider(distribution: distribution, scope: .event, salt: salt, target: $0)
            }
        }
        let day: Int64 = 86_400_000
        switch field.type {
        case .string:
            let parts: [TemplateText.Part] = [.literal(Array("\(field.name)_".utf8)), .number(1...20)]
            return TemplateText(parts: parts, scope: scope(nil), salt: salt)
        case .int, .long: return number(.integers(0, 999))
        case .float, .double: return number(.uniform(0, 100), places: 2)
        case .money: return number(.lognormal(median: 40, sigma: 0.9))
        case .decimal(let precision, let scale):
            return number(precision - scale >= 4 ? .uniform(0, 1000) : .uniform(0, 0.9))
        case .boolean: return RandomBoolean(probability: 0.5, scope: scope(nil), salt: salt)
        case .bytes: return RandomBytes(salt: salt)
        case .date: return RelatedTime(kind: .before(milliseconds: 30 * day), salt: salt, isDate: true)
        case .timestamp: return RelatedTime(kind: .before(milliseconds: day / 24), salt: salt, isDate: false)
        case .uuid: return UUIDText(scope: .event, salt: salt)
        case .enumeration(let symbols):
            let texts = symbols.isEmpty ? [""] : symbols
            let alias = AliasTable(weights: texts.map { _ in 1 })
            return PickText(table: TextTable(texts), selection: .weighted(alias, scope(nil), salt: salt))
        case .array, .map, .record:
            return JSONText(type: field.type, words: ["alpha", "beta", "gamma", "delta", "epsilon"], salt: salt)
        }
    }

    /// What the field's value stays the same with.
    private func scope(_ entry: ProviderCatalog.Entry?) -> SeedScope {
        var scope: SeedScope = field.role == .dimension ? .session : .event
        switch entry?.recipe {
        case .words(_, let own), .template(_, let own), .number(_, let own, _): scope = own
        case .place, .coordinate, .entity: scope = .entity
        case .price, .product: scope = .product
        case .total, .uuid, nil: break
        }
        // device_type describes the entity where device_id is the key.
        let stem = type.primaryKey.split(separator: "_").first.map { "\($0)_" }
        if scope == .session, let stem, field.name.hasPrefix(stem) { return .entity }
        return scope
    }
}
