import Diagnostics
import Foundation
import Synchronization
import TerminalViews

/// How findings and failures reach the person: on standard error, as text or, with `--output json`, as JSON.
enum Failure {
    private struct View {
        var sources = SourceTexts()
        var isJSON = false
        var allowsColor = true
    }

    /// What the options say; set once they are parsed, before anything can fail.
    private static let view = Mutex(View())

    static func configure(isJSON: Bool, allowsColor: Bool) {
        view.withLock { ($0.isJSON, $0.allowsColor) = (isJSON, allowsColor) }
    }

    /// The texts that were read, for excerpts.
    static func setSources(_ sources: SourceTexts) { view.withLock { $0.sources = sources } }

    static func report(_ error: DiagnosticsError) { report(error.diagnostics) }

    static func report(_ diagnostics: Diagnostics) {
        guard !diagnostics.items.isEmpty else { return }
        let view = view.withLock { $0 }
        let renderer = renderer(view)
        if view.isJSON {
            print(renderer.json(diagnostics).text())
        } else {
            print(renderer.text(diagnostics))
            print(DiagnosticRenderer.summary(diagnostics))
        }
    }

    /// - Parameter isOutputStuck: Whether standard output may be a pipe that nobody reads, which must not be waited for.
    static func report(_ error: PipelineError, isOutputStuck: Bool = false) {
        let view = view.withLock { $0 }
        let renderer = renderer(view)
        print(view.isJSON ? renderer.json(error).text() : renderer.text(error), isOutputStuck: isOutputStuck)
    }

    static func print(_ text: String, isOutputStuck: Bool = false) {
        let line = text.hasSuffix("\n") ? text : text + "\n"
        // What was printed before stands before it, also where both go into one pipe.
        if !isOutputStuck { fflush(nil) }
        FileHandle.standardError.write(Data((Terminal.messageStart + line).utf8))
    }

    private static func renderer(_ view: View) -> DiagnosticRenderer {
        DiagnosticRenderer(
            sources: view.sources, isColored: Terminal.usesColour(2, isSwitchedOff: !view.allowsColor))
    }
}
