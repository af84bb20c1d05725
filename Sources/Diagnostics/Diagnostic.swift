/// One finding about what a person wrote or asked for: place, cause, hint.
public struct Diagnostic: Hashable, Sendable {
    public enum Severity: String, Hashable, Sendable {
        case error, warning
    }

    /// A second place that matters, such as the layer that overrode a value.
    public struct Note: Hashable, Sendable {
        public var message: String
        public var location: SourceLocation?

        public init(_ message: String, at location: SourceLocation? = nil) {
            self.message = message
            self.location = location
        }
    }

    public var code: DiagnosticCode
    public var severity: Severity
    public var message: String
    public var location: SourceLocation?
    /// The configuration path, such as `aggregations.revenue.field`.
    public var path: String?
    public var notes: [Note]
    public var hint: String?

    public init(
        _ code: DiagnosticCode, _ message: String, at location: SourceLocation? = nil, severity: Severity = .error,
        path: String? = nil, notes: [Note] = [], hint: String? = nil
    ) {
        self.code = code
        self.severity = severity
        self.message = message
        self.location = location
        self.path = path
        self.notes = notes
        self.hint = hint
    }
}

/// Collects the findings of a stage; the stage throws once, at its end.
public struct Diagnostics: Sendable {
    public private(set) var items: [Diagnostic] = []

    public init() {}

    public var hasErrors: Bool { items.contains { $0.severity == .error } }

    public mutating func add(_ diagnostic: Diagnostic) { items.append(diagnostic) }

    public mutating func append(contentsOf others: Diagnostics) { items += others.items }

    public mutating func error(
        _ code: DiagnosticCode, _ message: String, at location: SourceLocation?, path: String? = nil,
        notes: [Diagnostic.Note] = [], hint: String? = nil
    ) {
        items.append(Diagnostic(code, message, at: location, path: path, notes: notes, hint: hint))
    }

    public mutating func warning(
        _ code: DiagnosticCode, _ message: String, at location: SourceLocation?, path: String? = nil,
        notes: [Diagnostic.Note] = [], hint: String? = nil
    ) {
        items.append(
            Diagnostic(code, message, at: location, severity: .warning, path: path, notes: notes, hint: hint))
    }

    /// Findings by place, without repeats; those without a place come last, in the order in which they were found.
    public var sorted: [Diagnostic] {
        var seen = Set<Diagnostic>()
        let unique = items.filter { seen.insert($0).inserted }
        return unique.enumerated().sorted { a, b in
            switch (a.element.location, b.element.location) {
            case (let x?, let y?): x == y ? a.offset < b.offset : x < y
            case (.some, nil): true
            case (nil, .some): false
            case (nil, nil): a.offset < b.offset
            }
        }.map(\.element)
    }

    /// Throws ``DiagnosticsError`` if there is at least one error.
    public func throwIfErrors(exitCode: Int32 = 2) throws(DiagnosticsError) {
        if hasErrors { throw DiagnosticsError(diagnostics: self, exitCode: exitCode) }
    }
}

/// A stage's whole list of findings, of which at least one is an error.
public struct DiagnosticsError: Error, Sendable {
    public let diagnostics: Diagnostics
    /// 2 for invalid configuration or wrong use, 3 when a needed file or server is not there, 1 for a failed operation.
    public let exitCode: Int32

    public init(diagnostics: Diagnostics, exitCode: Int32 = 2) {
        self.diagnostics = diagnostics
        self.exitCode = exitCode
    }

    public init(_ diagnostic: Diagnostic, exitCode: Int32 = 2) {
        var list = Diagnostics()
        list.add(diagnostic)
        self.init(diagnostics: list, exitCode: exitCode)
    }
}

/// A failure of the outside world while something runs: a file, a server, a disk.
///
/// `description` is safe for a log: it holds no secret and no row value.
public struct PipelineError: Error, Sendable, CustomStringConvertible {
    public enum Retry: Sendable { case never, backoff }

    public var code: DiagnosticCode
    public var message: String
    public var hint: String?
    /// Which part failed, such as `sink primary` or `topic events.purchase, partition 3`.
    public var component: String?
    public var retry: Retry
    /// The command's exit code when this ends it: 1 failed, 3 not there when it was opened.
    public var exitCode: Int32
    /// The options of the plugin that it is about, such as `user`; empty = where it is. Whoever opened the plugin knows
    /// where they stand, and adds ``notes``.
    public var options: [String]
    /// Places that matter, such as the line that sets an address.
    public var notes: [Diagnostic.Note] = []

    public init(
        _ code: DiagnosticCode, _ message: String, hint: String? = nil, component: String? = nil,
        retry: Retry = .never, exitCode: Int32 = 1, options: [String] = []
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.component = component
        self.retry = retry
        self.exitCode = exitCode
        self.options = options
    }

    public var description: String {
        "[\(code.id)] " + (component.map { "\($0): " } ?? "") + message
    }
}
