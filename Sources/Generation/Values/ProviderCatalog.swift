import PlatformModel

/// The built-in value providers: what `generate: {provider: NAME}` takes and what is guessed from a field's name.
///
/// One table. Guessing takes the entry that lists the longest ending of the name: `billing_country_code` is looked up as
/// such, then `country_code`, then `code`.
public enum ProviderCatalog {
    /// Name and meaning of each provider, for reference pages.
    public static var reference: [(name: String, doc: String)] { entries.map { ($0.name, $0.doc) } }

    enum Recipe: Sendable {
        case words([String], SeedScope)
        case place(@Sendable (Place) -> String)
        case coordinate(@Sendable (Place) -> Double)
        case template([TemplateText.Part], SeedScope)
        case number(NumberProvider.Distribution, SeedScope, places: Int)
        case price, total, entity, product, uuid
    }

    struct Entry: Sendable {
        let name: String
        let doc: String
        /// Names of fields for which it is guessed.
        let guesses: Set<String>
        /// Whether such a field has a value by its nature, even if it may be null.
        let isAlwaysThere: Bool
        let recipe: Recipe
    }

    struct Place: Sendable {
        let country, currency, city, language: String
        let latitude, longitude, weight: Double
    }

    static let places: [Place] = [
        Place(
            country: "US", currency: "USD", city: "New York", language: "en", latitude: 40.71, longitude: -74.01,
            weight: 30),
        Place(
            country: "GB", currency: "GBP", city: "London", language: "en", latitude: 51.51, longitude: -0.13,
            weight: 14),
        Place(
            country: "DE", currency: "EUR", city: "Berlin", language: "de", latitude: 52.52, longitude: 13.41,
            weight: 13),
        Place(
            country: "FR", currency: "EUR", city: "Paris", language: "fr", latitude: 48.86, longitude: 2.35, weight: 10),
        Place(
            country: "CA", currency: "CAD", city: "Toronto", language: "en", latitude: 43.65, longitude: -79.38,
            weight: 8),
        Place(
            country: "JP", currency: "JPY", city: "Tokyo", language: "ja", latitude: 35.68, longitude: 139.69, weight: 8
        ),
        Place(
            country: "ES", currency: "EUR", city: "Madrid", language: "es", latitude: 40.42, longitude: -3.7, weight: 6),
        Place(
            country: "AU", currency: "AUD", city: "Sydney", language: "en", latitude: -33.87, longitude: 151.21,
            weight: 6),
        Place(
            country: "BR", currency: "BRL", city: "São Paulo", language: "pt", latitude: -23.55, longitude: -46.63,
            weight: 5),
    ]

    static func entry(named name: String) -> Entry? { entries.first { $0.name == name } }

    static func guess(_ name: String) -> Entry? {
        var rest = Substring(name.lowercased())
        while true {
            if let entry = entries.first(where: { $0.guesses.contains(String(rest)) }) { return entry }
            guard let separator = rest.firstIndex(of: "_") else { return nil }
            rest = rest[rest.index(after: separator)...]
        }
    }

    private static func entry(
        _ name: String, _ doc: String, _ guesses: [String], natural: Bool = false, _ recipe: Recipe
    ) -> Entry {
        Entry(name: name, doc: doc, guesses: Set(guesses), isAlwaysThere: natural, recipe: recipe)
    }

    private static func literal(_ text: String) -> TemplateText.Part { .literal(Array(text.utf8)) }

    private static let firstNames = [
        "anna", "ben", "chloe", "david", "emma", "felix", "grace", "hugo", "ines", "jonas",
    ]
    private static let lastNames = [
        "smith", "garcia", "mueller", "tanaka", "silva", "martin", "jones", "novak", "rossi",
    ]

    static let entries: [Entry] = [
        entry(
            "country_code", "two-letter country code, the entity's home", ["country", "country_code"],
            .place { $0.country }),
        entry("currency", "currency of the entity's home", ["currency", "currency_code"], .place { $0.currency }),
        entry("city", "city of the entity's home", ["city", "town"], .place { $0.city }),
        entry("language", "language of the entity's home", ["language", "locale", "lang"], .place { $0.language }),
        entry("latitude", "degrees north of the entity's home", ["lat", "latitude"], .coordinate { $0.latitude }),
        entry(
            "longitude", "degrees east of the entity's home", ["lon", "lng", "longitude"], .coordinate { $0.longitude }),
        entry(
            "email", "e-mail address at example.com", ["email", "email_address", "mail"],
            .template(
                [
                    .pick(TextTable(firstNames)), literal("."), .pick(TextTable(lastNames)), .entity(1),
                    literal("@example.com"),
                ], .entity)),
        entry(
            "first_name", "given name", ["first_name", "given_name"], .words(firstNames.map(\.capitalizedWord), .entity)
        ),
        entry(
            "last_name", "family name", ["last_name", "family_name", "surname"],
            .words(lastNames.map(\.capitalizedWord), .entity)),
        entry(
            "phone", "telephone number from the range kept for fiction", ["phone", "phone_number", "mobile"],
            .template([literal("+1-555-01"), .digit, .digit], .entity)),
        entry(
            "url", "page of a shop at example.com", ["url", "page_url", "page", "path", "uri", "landing_page"],
            natural: true,
            .words(
                ["/", "/home", "/products", "/products/new", "/products/sale", "/cart", "/account", "/help", "/about"]
                    .map { "https://www.example.com\($0)" }, .event)),
        entry(
            "referrer", "where a visitor came from", ["referrer", "referer", "referrer_url"],
            .words(
                ["direct", "https://search.example", "https://social.example", "https://news.example", "newsletter"],
                .session)),
        entry(
            "device_type", "mobile, desktop or tablet", ["device_type", "device", "device_category"],
            .words(["mobile", "mobile", "mobile", "desktop", "desktop", "tablet"], .session)),
        entry(
            "os", "operating system", ["os", "operating_system"],
            .words(["Android", "iOS", "Windows", "macOS", "Linux"], .session)),
        entry("browser", "browser", ["browser"], .words(["Chrome", "Safari", "Firefox", "Edge"], .session)),
        entry("platform", "web or app", ["platform", "channel"], .words(["web", "ios", "android"], .session)),
        entry(
            "user_agent", "browser identification", ["user_agent", "useragent"],
            .words(
                [
                    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
                    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
                    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
                ], .session)),
        entry(
            "ip", "IPv4 address from the range for benchmarks (RFC 2544)", ["ip", "ip_address", "client_ip"],
            .template(
                [literal("198."), .number(18...19), literal("."), .number(0...255), literal("."), .number(1...254)],
                .session)),
        entry(
            "status", "outcome of an action", ["status", "state"],
            .words(["ok", "ok", "ok", "ok", "pending", "failed"], .event)),
        entry(
            "payment_method", "means of payment", ["payment_method", "payment_type"], natural: true,
            .words(["credit_card", "credit_card", "paypal", "debit_card", "apple_pay", "bank_transfer"], .session)),
        entry(
            "search_query", "words that a shopper looks for", ["query", "search_query", "search_term", "keyword"],
            natural: true,
            .words(
                [
                    "running shoes", "laptop", "headphones", "coffee maker", "backpack", "winter jacket", "desk lamp",
                    "phone case",
                ], .event)),
        entry(
            "category", "product category, the product's own", ["category", "product_category", "department"],
            .words(["electronics", "clothing", "home", "sports", "books", "toys", "beauty"], .product)),
        entry(
            "brand", "brand, the product's own", ["brand", "manufacturer"],
            .words(["Acme", "Globex", "Initech", "Umbra", "Stark"], .product)),
        entry(
            "product_name", "product name, the product's own", ["product_name", "item_name", "product_title"],
            .template(
                [
                    .pick(TextTable(["Classic", "Smart", "Ultra", "Eco", "Mini"])), literal(" "),
                    .pick(TextTable(["Lamp", "Chair", "Phone", "Jacket", "Mug", "Bag"])), literal(" "), .product(1),
                ], .product)),
        entry(
            "product_id", "identifier from the pool of products", ["product_id", "item_id", "sku", "product"],
            natural: true, .product),
        entry("entity_id", "the entity's identifier", [], natural: true, .entity),
        entry(
            "session_id", "identifier of the session", ["session_id", "visit_id", "session"], natural: true,
            .template([literal("s_"), .hexadecimal(16)], .session)),
        entry(
            "order_id", "identifier of the session's order", ["order_id", "cart_id", "checkout_id"], natural: true,
            .template([literal("o_"), .hexadecimal(12)], .session)),
        entry("uuid", "UUID of version 4's shape", ["uuid", "guid"], natural: true, .uuid),
        entry(
            "id", "identifier, a new one for every event", ["id"], natural: true, .template([.hexadecimal(16)], .event)),
        entry("price", "price of the row's product", ["price", "unit_price", "list_price"], natural: true, .price),
        entry(
            "total", "price times quantity of the row",
            ["total", "total_amount", "order_total", "cart_total", "total_price", "revenue", "subtotal"],
            natural: true, .total),
        entry(
            "amount", "amount of money, lognormal around 40", ["amount", "cost", "fee", "value_amount"], natural: true,
            .number(.lognormal(median: 40, sigma: 0.9), .event, places: 2)),
        entry(
            "quantity", "items, mostly one", ["quantity", "qty", "item_count", "items"], natural: true,
            .number(.counts(meanAboveOne: 0.6, most: 20), .item, places: 0)),
        entry(
            "count", "a small count", ["count", "results", "result_count"],
            .number(.counts(meanAboveOne: 8, most: 500), .event, places: 0)),
        entry(
            "temperature", "degrees Celsius around 20", ["temperature", "temp"],
            .number(.normal(mean: 20, deviation: 6, -60...125), .event, places: 2)),
        entry(
            "humidity", "percent", ["humidity"], .number(.normal(mean: 50, deviation: 12, 0...100), .event, places: 1)),
        entry(
            "pressure", "hectopascal", ["pressure"],
            .number(.normal(mean: 1013, deviation: 8, 870...1085), .event, places: 1)),
        entry(
            "percent", "0 to 100", ["percent", "percentage", "battery", "battery_level"],
            .number(.uniform(0, 100), .event, places: 1)),
        entry("rating", "1 to 5", ["rating", "stars"], .number(.integers(1, 5), .event, places: 0)),
        entry("age", "years", ["age"], .number(.normal(mean: 38, deviation: 13, 16...95), .entity, places: 0)),
        entry("score", "0 to 1", ["score", "probability", "confidence"], .number(.uniform(0, 1), .event, places: 4)),
        entry(
            "duration", "milliseconds or seconds, lognormal",
            ["duration", "duration_ms", "latency", "latency_ms", "response_time"],
            .number(.lognormal(median: 120, sigma: 0.8), .event, places: 0)),
    ]
}

extension String {
    fileprivate var capitalizedWord: String { prefix(1).uppercased() + dropFirst() }
}
