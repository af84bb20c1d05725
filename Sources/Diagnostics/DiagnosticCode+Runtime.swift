// Codes of the runtime and the event log. Append at the end; never renumber. List each in `runtime` too.

extension DiagnosticCode {
    static let runtime: [DiagnosticCode] = []
}
