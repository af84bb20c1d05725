import ArgumentParser
import Diagnostics

/// A command that says in which formats it prints its results. The others are refused before it does anything: a format
/// that somebody asked for is never quietly replaced by another one.
protocol FormattedCommand: ParsableCommand {
    static var formats: [OutputFormat] { get }
    /// What to do instead, where there is something.
    static var formatHint: String? { get }
    var global: GlobalOptions { get }
}

extension FormattedCommand {
    static var formatHint: String? { nil }

    func checkFormat() throws {
        Failure.configure(isJSON: global.output == .json, allowsColor: !global.noColor)
        guard !Self.formats.contains(global.output) else { return }
        let known = Self.formats.map(\.rawValue).joined(separator: " or ")
        throw DiagnosticsError(
            Diagnostic(
                .outputFormatRefused, "this command has no \(global.output.rawValue) output",
                hint: "it prints \(known)" + (Self.formatHint.map { "; \($0)" } ?? "")))
    }
}
