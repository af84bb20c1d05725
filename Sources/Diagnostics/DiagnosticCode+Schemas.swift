// Codes of schemas, generation and ingest. Append at the end; never renumber. List each in `schemas` too.

extension DiagnosticCode {
    static let schemas: [DiagnosticCode] = []
}
