import ConfigTree
import DataPath
import Diagnostics

/// Reads `window: {type, duration, slide, step, gap, origin}`.
struct WindowReader {
    /// More panes than this would cost more memory than the finer slide is worth.
    static let paneLimit: Int64 = 10_000

    /// What each type of window takes besides `type`.
    private static let keys: [(type: String, required: [String], optional: [String])] = [
        ("tumbling", ["duration"], ["origin"]), ("sliding", ["duration", "slide"], ["origin"]),
        ("cumulate", ["duration", "step"], ["origin"]), ("session", ["gap"], []), ("unbounded", [], []),
    ]

    private let path: String
    private var reader: MappingReader

    /// Nil after a report.
    static func read(_ node: ConfigNode, path: String, into diagnostics: inout Diagnostics) -> WindowSpec? {
        guard let mapping = MappingReader(node, path: path, into: &diagnostics) else { return nil }
        var reader = WindowReader(path: path, reader: mapping)
        return reader.read(into: &diagnostics)
    }

    private mutating func read(into diagnostics: inout Diagnostics) -> WindowSpec? {
        _ = reader.requiredNode("type", into: &diagnostics)
        let type = reader.choice("type", of: Self.keys.map(\.type), into: &diagnostics)
        if type == "unbounded" {
            diagnostics.error(
                .notSupportedYet, "windows of type 'unbounded' are not supported yet",
                at: reader.mapping["type"]?.location, path: "\(path).type",
                hint: "use tumbling, sliding, cumulate or session")
            return nil
        }
        reader.refuse("timezone", "'timezone' of a window is", hint: "use origin", into: &diagnostics)
        guard let type, let keys = Self.keys.first(where: { $0.type == type }) else {
            reader.allow("duration", "slide", "step", "gap", "origin")
            reader.finish(into: &diagnostics)
            return nil
        }
        var lengths: [String: Int64] = [:]
        for key in keys.required {
            _ = reader.requiredNode(key, into: &diagnostics)
            lengths[key] = reader.duration(key, positive: true, into: &diagnostics)
        }
        for key in ["duration", "slide", "step", "gap", "origin"]
        where !keys.required.contains(key) && !keys.optional.contains(key) {
            guard let node = reader.node(key) else { continue }
            let owners = Self.keys.filter { ($0.required + $0.optional).contains(key) }.map(\.type)
            invalid(
                "a \(type) window has no \(key)", at: node,
                hint: "\(owners.joined(separator: " and ")) windows have one; remove '\(key)', or change the type",
                into: &diagnostics)
        }
        let origin = keys.optional.contains("origin") ? readOrigin(into: &diagnostics) : 0
        reader.finish(into: &diagnostics)
        guard lengths.count == keys.required.count else { return nil }
        let duration = lengths["duration"] ?? 0
        switch type {
        case "session": return .session(gapMilliseconds: lengths["gap"] ?? 0)
        case "cumulate":
            let step = lengths["step"] ?? duration
            let spec = WindowSpec.cumulate(
                durationMilliseconds: duration, stepMilliseconds: step, originMilliseconds: origin)
            if duration % step != 0 {
                invalid(
                    "the duration (\(DurationText.describe(milliseconds: duration))) is not a multiple of the step "
                        + "(\(DurationText.describe(milliseconds: step)))", at: reader.mapping["step"],
                    hint: "windows grow by whole steps up to the duration", into: &diagnostics)
            } else {
                checkPanes(spec, at: "step", into: &diagnostics)
            }
            return spec
        default:
            let spec = WindowSpec(
                durationMilliseconds: duration, slideMilliseconds: lengths["slide"], originMilliseconds: origin)
            if spec.slideMilliseconds > duration {
                invalid(
                    "the slide (\(DurationText.describe(milliseconds: spec.slideMilliseconds))) is longer than the duration "
                        + "(\(DurationText.describe(milliseconds: duration))): events between windows would be lost",
                    at: reader.mapping["slide"], hint: "the slide is at most the duration", into: &diagnostics)
            } else {
                checkPanes(spec, at: "slide", into: &diagnostics)
            }
            return spec
        }
    }

    private mutating func readOrigin(into diagnostics: inout Diagnostics) -> Int64 {
        guard let node = reader.node("origin") else { return 0 }
        let text = node.scalar?.text ?? ""
        if let found = InstantText.milliseconds(text) ?? DurationText.milliseconds(text) { return found }
        invalid(
            "'origin' is neither a time nor a duration: '\(text)'", at: node,
            hint: "write 2024-01-01T00:00:00Z, or a distance from the epoch such as 4 days", into: &diagnostics)
        return 0
    }

    private func checkPanes(_ spec: WindowSpec, at key: String, into diagnostics: inout Diagnostics) {
        let panes = spec.durationMilliseconds / spec.paneMilliseconds
        guard panes > Self.paneLimit else { return }
        invalid(
            "the window consists of \(panes) panes of \(DurationText.describe(milliseconds: spec.paneMilliseconds)); "
                + "\(Self.paneLimit) is the most", at: reader.mapping[key] ?? reader.mapping["duration"],
            hint: "use a longer \(key), of which the duration is a multiple", into: &diagnostics)
    }

    private func invalid(_ message: String, at node: ConfigNode?, hint: String, into diagnostics: inout Diagnostics) {
        diagnostics.error(.invalidWindow, message, at: node?.location, path: path, hint: hint)
    }
}
