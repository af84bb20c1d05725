internal import ConfigTree
internal import Diagnostics

extension PlatformSettings {
    mutating func readDeadLetters(_ node: ConfigNode, into diagnostics: inout Diagnostics) {
        guard var reader = MappingReader(node, path: "dead_letters", into: &diagnostics) else { return }
        if let share = reader.node("max_share") {
            deadLetters.maxShare = Self.share(share, into: &diagnostics)
        }
        deadLetters.windowMilliseconds =
            reader.duration("window", positive: true, into: &diagnostics) ?? deadLetters.windowMilliseconds
        deadLetters.minRecords =
            reader.integer("min_records", in: 1...1_000_000_000, into: &diagnostics) ?? deadLetters.minRecords
        reader.finish(into: &diagnostics)
    }

    /// A share as a percentage (`5%`) or as a number from 0 to 1.
    private static func share(_ node: ConfigNode, into diagnostics: inout Diagnostics) -> Double? {
        let text = node.scalar?.text ?? ""
        let number = text.last == "%" ? text.dropLast().trimmed : text[...]
        let divisor: Double = text.last == "%" ? 100 : 1
        if let value = Double(number), (0...1).contains(value / divisor) { return value / divisor }
        let percent = divisor == 1 ? Double(number).flatMap { (1...100).contains($0) ? $0 : nil } : nil
        diagnostics.error(
            .invalidValue,
            node.scalar == nil
                ? "'max_share' takes a share, found \(node.kindDescription)"
                : "'max_share' is '\(text)'; it takes a share: 0% to 100%, or 0 to 1",
            at: node.location, path: "dead_letters.max_share",
            hint: percent == nil ? "5% is an example" : "for \(number) percent write \(number)%")
        return nil
    }
}

extension Substring {
    /// Without blanks at its end.
    fileprivate var trimmed: Substring {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
