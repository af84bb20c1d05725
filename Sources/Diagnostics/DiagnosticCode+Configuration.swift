// Codes of YAML, layers, variables and secrets. Append at the end; never renumber. List each in `configuration` too.

extension DiagnosticCode {
    static let configuration: [DiagnosticCode] = []
}
