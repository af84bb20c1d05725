// Codes of plugins. Append at the end; never renumber. List each in `plugins` too.

extension DiagnosticCode {
    static let plugins: [DiagnosticCode] = []
}
