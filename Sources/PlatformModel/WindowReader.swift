import ConfigTree
import DataPath
import Diagnostics

/// Reads `window: {type, duration, slide, origin}`.
enum WindowReader {
    /// More panes than this would cost more memory than the finer slide is worth.
    static let paneLimit: Int64 = 10_000

    /// Nil after a report.
    static func read(_ node: ConfigNode, path: String, into diagnostics: inout Diagnostics) -> WindowSpec? {
        guard var reader = MappingReader(node, path: path, into: &diagnostics) else { return nil }
        let types = ["tumbling", "sliding", "session", "cumulate", "unbounded"]
        _ = reader.requiredNode("type", into: &diagnostics)
        let type = reader.choice("type", of: types, into: &diagnostics)
        if let type, ["session", "cumulate", "unbounded"].contains(type) {
            diagnostics.error(
                .notSupportedYet, "windows of type '\(type)' are not supported yet",
                at: reader.mapping["type"]?.location,
                path: "\(path).type", hint: "use tumbling or sliding")
            return nil
        }
        reader.refuse("timezone", "'timezone' of a window is", hint: "use origin", into: &diagnostics)
        let durationNode = reader.requiredNode("duration", into: &diagnostics)
        let duration = reader.duration("duration", positive: true, into: &diagnostics)
        let slideNode = type == "sliding" ? reader.requiredNode("slide", into: &diagnostics) : reader.node("slide")
        let slide = reader.duration("slide", positive: true, into: &diagnostics)
        let originNode = reader.node("origin")
        reader.finish(into: &diagnostics)
        func invalid(_ message: String, at node: ConfigNode?, hint: String) {
            diagnostics.error(.invalidWindow, message, at: node?.location, path: path, hint: hint)
        }
        if type == "tumbling", slideNode != nil {
            invalid("a tumbling window has no slide", at: slideNode, hint: "use type: sliding, or remove 'slide'")
        }
        var origin: Int64 = 0
        if let originNode {
            let text = originNode.scalar?.text ?? ""
            if let found = InstantText.milliseconds(text) ?? DurationText.milliseconds(text) {
                origin = found
            } else {
                invalid(
                    "'origin' is neither a time nor a duration: '\(text)'", at: originNode,
                    hint: "write 2024-01-01T00:00:00Z, or a distance from the epoch such as 4 days")
            }
        }
        guard let type, let duration, type == "tumbling" || slide != nil else { return nil }
        let spec = WindowSpec(
            durationMilliseconds: duration, slideMilliseconds: type == "sliding" ? slide : nil,
            originMilliseconds: origin)
        if spec.slideMilliseconds > duration {
            invalid(
                "the slide (\(DurationText.describe(milliseconds: spec.slideMilliseconds))) is longer than the duration "
                    + "(\(DurationText.describe(milliseconds: duration))): events between windows would be lost",
                at: slideNode, hint: "the slide is at most the duration")
        } else if duration / spec.paneMilliseconds > paneLimit {
            invalid(
                "the window consists of \(duration / spec.paneMilliseconds) panes of "
                    + "\(DurationText.describe(milliseconds: spec.paneMilliseconds)); \(paneLimit) is the most",
                at: slideNode ?? durationNode, hint: "use a longer slide, of which the duration is a multiple")
        }
        return spec
    }
}
