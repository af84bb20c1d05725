import DataPath

extension ExpressionSyntax {
    /// Every reference in the expression, each once, in the order of first use.
    public var references: [[String]] {
        var found: [[String]] = []
        visit { if case .reference(let path) = $0.kind, !found.contains(path) { found.append(path) } }
        return found
    }

    /// The event types to which the expression restricts `event_type`, or nil when it does not.
    ///
    /// Reads `event_type = 'x'`, `event_type in ('x', 'y')`, and their combinations by `and` and `or`.
    public var eventTypeNames: Set<String>? {
        switch kind {
        case .comparison(.equal, let a, let b): Self.name(a, b) ?? Self.name(b, a)
        case .inList(let subject, let items, negated: false) where subject.isEventType:
            Set(items.compactMap(\.stringLiteral))
        case .and(let a, let b):
            switch (a.eventTypeNames, b.eventTypeNames) {
            case (let x?, let y?): x.intersection(y)
            case (let x, let y): x ?? y
            }
        case .or(let a, let b):
            if let x = a.eventTypeNames, let y = b.eventTypeNames { x.union(y) } else { nil }
        default: nil
        }
    }

    private static func name(_ subject: ExpressionSyntax, _ value: ExpressionSyntax) -> Set<String>? {
        subject.isEventType ? value.stringLiteral.map { [$0] } : nil
    }

    private var isEventType: Bool { kind == .reference(["event_type"]) }

    private var stringLiteral: String? {
        if case .literal(.string(let text)) = kind { text } else { nil }
    }

    private func visit(_ body: (ExpressionSyntax) -> Void) {
        body(self)
        switch kind {
        case .reference, .literal: break
        case .comparison(_, let a, let b), .arithmetic(_, let a, let b), .and(let a, let b), .or(let a, let b),
            .like(let a, let b, _, _, _):
            a.visit(body)
            b.visit(body)
        case .negate(let a), .not(let a), .isNull(let a, _), .cast(let a, _): a.visit(body)
        case .inList(let a, let items, _):
            a.visit(body)
            items.forEach { $0.visit(body) }
        case .between(let a, let low, let high, _): [a, low, high].forEach { $0.visit(body) }
        case .function(_, let arguments): arguments.forEach { $0.visit(body) }
        case .conditional(let branches, let otherwise):
            for branch in branches {
                branch.condition.visit(body)
                branch.value.visit(body)
            }
            otherwise?.visit(body)
        }
    }
}
