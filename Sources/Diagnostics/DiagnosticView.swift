/// What is shown of a finding: the one value from which both the text and the JSON form are made.
public struct DiagnosticView: Hashable, Sendable {
    public struct Note: Hashable, Sendable {
        public var message: String
        public var location: SourceLocation?
    }

    public var code: String
    public var severity: String
    public var message: String
    public var location: SourceLocation?
    /// The line at `location`, if its text is known, without credentials.
    public var excerpt: String?
    public var path: String?
    /// The part of the system that failed, for a ``PipelineError``.
    public var component: String?
    public var notes: [Note]
    public var hint: String?

    public init(_ diagnostic: Diagnostic, sources: SourceTexts) {
        code = diagnostic.code.id
        severity = diagnostic.severity.rawValue
        message = diagnostic.message
        location = diagnostic.location
        excerpt = diagnostic.location.flatMap { sources.line(at: $0) }.map(CredentialMask.line)
        path = diagnostic.path
        component = nil
        notes = diagnostic.notes.map { Note(message: $0.message, location: $0.location) }
        hint = diagnostic.hint
    }

    public init(_ error: PipelineError) {
        code = error.code.id
        severity = Diagnostic.Severity.error.rawValue
        message = error.message
        location = nil
        excerpt = nil
        path = nil
        component = error.component
        notes = error.notes.map { Note(message: $0.message, location: $0.location) }
        hint = error.hint
    }

    /// An object that always has the same keys: `code`, `column`, `component`, `end_column`, `excerpt`, `file`, `hint`,
    /// `line`, `message`, `notes`, `path`, `severity`. What is absent is null.
    public var json: JSONValue {
        var members = Self.members(of: location)
        members["code"] = .string(code)
        members["severity"] = .string(severity)
        members["message"] = .string(message)
        members["excerpt"] = Self.optional(excerpt)
        members["path"] = Self.optional(path)
        members["component"] = Self.optional(component)
        members["hint"] = Self.optional(hint)
        members["notes"] = .array(
            notes.map { note in
                var members = Self.members(of: note.location)
                members["message"] = .string(note.message)
                return .object(members)
            })
        return .object(members)
    }

    private static func optional(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }

    private static func members(of location: SourceLocation?) -> [String: JSONValue] {
        [
            "file": optional(location?.file),
            "line": location.map { .integer($0.line) } ?? .null,
            "column": location.map { .integer($0.column) } ?? .null,
            "end_column": location.map { .integer($0.endColumn) } ?? .null,
        ]
    }
}
