import Diagnostics
import Foundation

/// Asks before something is changed: on a terminal; without one the person has to have said yes.
struct Confirmation {
    /// `--yes` was given.
    var isYes: Bool
    /// What was shown stands on standard output; else on standard error, and so does the question.
    var isText: Bool

    /// Throws `SP5006` when there is no terminal to ask at.
    func ask(_ question: String, missing: String, hint: String) throws -> Bool {
        if isYes { return true }
        guard isatty(STDIN_FILENO) == 1 else {
            throw PipelineError(.confirmationNeeded, missing, hint: hint, exitCode: 2)
        }
        let terminal = isText ? FileHandle.standardOutput : FileHandle.standardError
        terminal.write(Data("\(question) [y/N] ".utf8))
        return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
    }
}
