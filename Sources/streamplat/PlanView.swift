import Diagnostics
import Provisioning

/// A plan for people, and for programs.
enum PlanView {
    static func text(_ plan: Plan) -> String {
        if plan.isEmpty { return "nothing differs: \(plan.items.count) things are as the domain wants them" }
        var lines: [String] = []
        for item in plan.changes {
            lines.append("\(sign(item.action)) \(item.kind.rawValue) \(item.name)")
            lines += item.details.map { "      \($0)" }
        }
        let unchanged = plan.items.count - plan.changes.count
        lines.append("\(plan.changes.count) to change, \(unchanged) as they should be")
        return lines.joined(separator: "\n")
    }

    static func json(_ plan: Plan) -> JSONValue {
        .object([
            "items": .array(
                plan.items.map { item in
                    .object([
                        "kind": .string(item.kind.rawValue), "name": .string(item.name),
                        "action": .string("\(item.action)"), "details": .array(item.details.map { .string($0) }),
                    ])
                }), "changes": .integer(plan.changes.count),
        ])
    }

    private static func sign(_ action: Plan.Item.Action) -> String {
        switch action {
        case .none: "="
        case .create: "+"
        case .alter: "~"
        case .rebuild: "↻"
        case .refuse: "✗"
        }
    }
}
