import Diagnostics
import PlatformModel

/// One step of a session: an event of a type, about the session's `item`-th product.
struct ScriptStep: BitwiseCopyable {
    var type: UInt16
    var item: UInt8
}

/// What an event type means in a shopping session.
enum ShoppingRole: Sendable {
    case pageView, productView, search, addToCart, removeFromCart, checkout, purchase

    /// Event type names, in lower case without separators.
    private static let names: [(ShoppingRole, Set<String>)] = [
        (.pageView, ["pageview", "pageviewed", "pagevisit", "visit", "landing", "screenview"]),
        (.productView, ["productview", "productviewed", "viewproduct", "viewitem", "itemview", "itemviewed"]),
        (.search, ["search", "searched", "searchquery", "productsearch", "productssearched"]),
        (.addToCart, ["addtocart", "cartadd", "addedtocart", "itemadded", "productadded"]),
        (.removeFromCart, ["removefromcart", "cartremove", "removedfromcart", "itemremoved", "productremoved"]),
        (.checkout, ["checkout", "begincheckout", "checkoutstarted", "checkoutstart"]),
        (.purchase, ["purchase", "purchased", "order", "orderplaced", "ordercompleted", "checkoutcompleted"]),
    ]

    static func of(eventType name: String) -> ShoppingRole? {
        let plain = name.lowercased().filter { $0 != "_" && $0 != "-" && $0 != "." }
        return names.first { $0.1.contains(plain) }?.0
    }
}

/// Which events a session consists of: rolled out as a script when the session begins.
enum SessionModel: Sendable {
    case shopping(ShoppingSession)
    case transitions(TransitionSession)
    /// Every event is a session of its own.
    case independent(AliasTable)

    /// Steps of the longest script.
    static let longestScript = 64

    /// Chooses the model: declared transitions, the shopping session if its event types are there, else independence.
    ///
    /// With one selected type, or where the selected types hardly occur in sessions, its events are independent: rolling
    /// sessions only to throw their events away would be endless.
    static func choose(
        domain: DomainDefinition, selected: [Bool], into diagnostics: inout Diagnostics
    ) -> SessionModel {
        let independent = SessionModel.independent(AliasTable(weights: selected.map { $0 ? 1 : 0 }))
        var model = independent
        if !domain.synthetic.transitions.isEmpty {
            if let session = TransitionSession(domain: domain, into: &diagnostics) { model = .transitions(session) }
        } else if let session = ShoppingSession(domain: domain, into: &diagnostics) {
            model = .shopping(session)
        }
        guard selected.contains(false) else { return model }
        let isRare = model.averageLength(selected: selected) < 0.05
        return isRare || selected.count(where: { $0 }) == 1 ? independent : model
    }

    /// Writes the script of the session with this seed, without the types that are not selected; returns its length,
    /// which may be 0. `steps` has room for ``longestScript`` steps.
    func writeScript(seed: UInt64, selected: [Bool], to steps: UnsafeMutablePointer<ScriptStep>) -> Int {
        var random = RandomStream(seed)
        let count: Int
        switch self {
        case .shopping(let session): count = session.writeScript(&random, to: steps)
        case .transitions(let session): count = session.writeScript(&random, to: steps)
        case .independent(let types):
            steps[0] = ScriptStep(type: UInt16(types.pick(random.next())), item: 0)
            return 1
        }
        var kept = 0
        for index in 0..<count where selected[Int(steps[index].type)] {
            steps[kept] = steps[index]
            kept += 1
        }
        return kept
    }

    /// Mean events of a session, from a fixed sample.
    func averageLength(selected: [Bool]) -> Double {
        if case .independent = self { return 1 }
        let sample = 4096
        return withUnsafeTemporaryAllocation(of: ScriptStep.self, capacity: Self.longestScript) { steps in
            guard let base = steps.baseAddress else { return 1 }
            var total = 0
            for index in 0..<sample {
                total += writeScript(seed: splitSeed(0x5EED, UInt64(index)), selected: selected, to: base)
            }
            return Double(total) / Double(sample)
        }
    }
}
