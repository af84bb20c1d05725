import Diagnostics
import PlatformModel

/// A session by declared transitions: a Markov chain over event types.
///
/// The probabilities of one state add up to at most 1; what is missing is the session's end. Without a declared start a
/// session begins with any type to which no other leads, or with the first transition's. A session ends after
/// ``SessionModel/longestScript`` events at the latest.
struct TransitionSession: Sendable {
    /// By state (event type; the start is the last): what may follow. Index `end` is the session's end.
    private let next: [AliasTable]
    private let end: Int

    init?(domain: DomainDefinition, into diagnostics: inout Diagnostics) {
        let names = domain.eventTypes.map(\.name)
        let end = names.count
        var weights = [[Double]](repeating: [Double](repeating: 0, count: end + 1), count: end + 1)
        var isValid = true
        for transition in domain.synthetic.transitions {
            let ends = [transition.from, transition.to].map { name -> Int? in
                guard let name else { return end }
                return names.firstIndex(of: name)
            }
            for (name, index) in zip([transition.from, transition.to], ends) where index == nil {
                let hint = nearestName(to: name ?? "", among: names).map { "did you mean '\($0)'?" }
                diagnostics.error(
                    .invalidTransition, "a transition names the unknown event type '\(name ?? "")'",
                    at: domain.location, path: "synthetic.transitions", hint: hint)
                isValid = false
            }
            guard transition.probability >= 0, transition.probability <= 1 else {
                diagnostics.error(
                    .invalidTransition, "a transition's probability \(transition.probability) is not between 0 and 1",
                    at: domain.location, path: "synthetic.transitions")
                isValid = false
                continue
            }
            if let from = ends[0], let to = ends[1] { weights[from][to] += transition.probability }
        }
        guard isValid else { return nil }
        if weights[end].allSatisfy({ $0 == 0 }) {
            let first = domain.synthetic.transitions.first?.from.flatMap { names.firstIndex(of: $0) }
            for type in 0..<end where weights[type].contains(where: { $0 > 0 }) {
                let isLedTo = (0..<end).contains { $0 != type && weights[$0][type] > 0 }
                if !isLedTo { weights[end][type] = 1 }
            }
            if weights[end].allSatisfy({ $0 == 0 }) { weights[end][first ?? 0] = 1 }
            let total = weights[end].reduce(0, +)
            weights[end] = weights[end].map { $0 / total }
        }
        for state in 0...end {
            let total = weights[state].reduce(0, +)
            guard total <= 1 + 1e-9 else {
                let name = state == end ? "the session's start" : "'\(names[state])'"
                diagnostics.error(
                    .invalidTransition, "the probabilities of the transitions from \(name) add up to \(total), above 1",
                    at: domain.location, path: "synthetic.transitions")
                return nil
            }
            weights[state][end] += max(0, 1 - total)
        }
        guard weights[end][end] < 1 else {
            diagnostics.error(
                .invalidTransition, "no transition leads from the session's start to an event", at: domain.location,
                path: "synthetic.transitions")
            return nil
        }
        self.end = end
        next = weights.map { AliasTable(weights: $0) }
    }

    func writeScript(_ random: inout RandomStream, to steps: UnsafeMutablePointer<ScriptStep>) -> Int {
        var state = end
        for count in 0..<SessionModel.longestScript {
            state = next[state].pick(random.next())
            if state == end { return count }
            steps[count] = ScriptStep(type: UInt16(state), item: 0)
        }
        return SessionModel.longestScript
    }
}
