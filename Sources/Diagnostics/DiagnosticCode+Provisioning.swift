// Codes of provisioning and queries. Append at the end; never renumber. List each in `provisioning` too.

extension DiagnosticCode {
    static let provisioning: [DiagnosticCode] = []
}
