import Diagnostics
import PlatformModel

/// The built-in shopping session: landing, browsing, perhaps a cart, perhaps a purchase.
///
/// Rates: a session has a cart with P(cart) = conversion / (1 - abandonment), and a cart is bought with
/// 1 - abandonment; so the conversion rate is of all sessions and the abandonment rate of those with a cart.
struct ShoppingSession: Sendable {
    private let pageView: UInt16
    private let purchase: UInt16
    private let productView: UInt16?
    private let search: UInt16?
    private let addToCart: UInt16?
    private let removeFromCart: UInt16?
    private let checkout: UInt16?
    /// Event types without a role: they happen now and then while browsing.
    private let others: [UInt16]
    private let cartProbability: Double
    private let purchaseProbability: Double

    /// Nil when the domain has no page view or no purchase, or when its rates are out of range (which is reported).
    init?(domain: DomainDefinition, into diagnostics: inout Diagnostics) {
        var byRole: [ShoppingRole: UInt16] = [:]
        var others: [UInt16] = []
        for (index, type) in domain.eventTypes.enumerated() {
            if let role = ShoppingRole.of(eventType: type.name), byRole[role] == nil {
                byRole[role] = UInt16(index)
            } else {
                others.append(UInt16(index))
            }
        }
        guard let pageView = byRole[.pageView], let purchase = byRole[.purchase] else { return nil }
        let conversion = domain.synthetic.purchaseConversionRate
        let abandonment = domain.synthetic.cartAbandonmentRate
        guard (0...1).contains(conversion), (0...1).contains(abandonment) else {
            diagnostics.error(
                .invalidSyntheticSetting,
                "purchase_conversion_rate and cart_abandonment_rate are shares between 0 and 1", at: domain.location)
            return nil
        }
        // The tolerance lets conversion 0.3 with abandonment 0.7 pass, whose quotient is a hair above 1.
        let cart = conversion == 0 ? (abandonment == 1 ? 0.1 : 0) : conversion / (1 - abandonment)
        guard cart <= 1 + 1e-9 else {
            diagnostics.error(
                .invalidSyntheticSetting,
                "purchase_conversion_rate \(conversion) needs more carts than there are sessions, as "
                    + "\(abandonment) of the carts are abandoned",
                at: domain.location, hint: "the conversion rate is at most 1 - cart_abandonment_rate")
            return nil
        }
        self.pageView = pageView
        self.purchase = purchase
        productView = byRole[.productView]
        search = byRole[.search]
        addToCart = byRole[.addToCart]
        removeFromCart = byRole[.removeFromCart]
        checkout = byRole[.checkout]
        self.others = others
        cartProbability = cart
        purchaseProbability = conversion == 0 ? 0 : 1 - abandonment
    }

    /// Writes at most 50 steps.
    func writeScript(_ random: inout RandomStream, to steps: UnsafeMutablePointer<ScriptStep>) -> Int {
        var count = 0
        var item: UInt8 = 0
        func put(_ type: UInt16, _ item: UInt8) {
            steps[count] = ScriptStep(type: type, item: item)
            count += 1
        }
        func browse(_ rounds: Int) {
            for _ in 0..<rounds {
                let choice = random.unit()
                if !others.isEmpty, choice < 0.05 {
                    put(others[random.below(others.count)], item)
                    continue
                }
                if let search, choice < 0.22 { put(search, item) }
                if let productView, choice < 0.72 {
                    item &+= 1
                    put(productView, item)
                } else {
                    put(pageView, item)
                }
            }
        }
        let hasCart = random.unit() < cartProbability
        let buys = hasCart && random.unit() < purchaseProbability
        put(pageView, item)
        browse(min(random.geometric(mean: hasCart ? 4 : 3), 12))
        guard hasCart else { return count }
        // The first product that is put into the cart stays there: it is the one that is bought.
        let kept = productView == nil ? item : item &+ 1
        let added = 1 + min(random.geometric(mean: 0.4), 2)
        for _ in 0..<added {
            if let productView {
                item &+= 1
                put(productView, item)
            }
            if let addToCart { put(addToCart, item) }
        }
        if let removeFromCart, added > 1 || !buys, random.unit() < (buys ? 0.2 : 0.4) {
            put(removeFromCart, added > 1 ? item : kept)
        }
        browse(min(random.geometric(mean: 1), 4))
        if buys {
            if let checkout { put(checkout, kept) }
            put(purchase, kept)
        } else if let checkout, random.unit() < 0.3 {
            put(checkout, kept)
        }
        return count
    }
}
