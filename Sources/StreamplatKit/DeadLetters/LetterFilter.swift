internal import DataPath
public import Diagnostics
internal import Expressions
internal import PluginAPI

/// Chooses dead letters by a predicate in the project's expressions, such as `code = 'SP6106' and retries = 0`.
/// Threads: one.
public final class LetterFilter {
    private let program: BoundProgram
    private let selection = Selection()

    /// Where findings about the text stand.
    public static let place = SourceLocation(file: "--filter", line: 1, column: 1)

    /// Throws every error of the text together.
    public init(_ text: String) throws {
        var diagnostics = Diagnostics()
        let source = ExpressionSource(text, at: Self.place, textColumnOffset: 0)
        let typed = ExpressionSyntax.parse(source, into: &diagnostics).flatMap {
            TypedExpression.predicate($0, text: text, scope: Scope(), into: &diagnostics)
        }
        try diagnostics.throwIfErrors()
        guard let typed else { throw DiagnosticsError(diagnostics: diagnostics) }
        program = try BoundProgram(typed.program, schema: Self.schema)
    }

    /// The letters for which the predicate is true.
    public func select(_ letters: [StoredLetter]) throws -> [StoredLetter] {
        let batch = RecordBatch(schema: Self.schema)
        for letter in letters {
            for (field, column) in zip(Self.fields, batch.columns) { Self.append(field.value(letter), to: column) }
        }
        batch.rowCount = letters.count
        program.select(batch, into: selection)
        guard program.errorRows.isEmpty else {
            throw DiagnosticsError(
                Diagnostic(
                    .expressionFailed, "the filter's arithmetic overflows on a dead letter", at: Self.place))
        }
        return (0..<selection.count).map { letters[Int(selection.rows[$0])] }
    }

    // MARK: Fields

    private enum Value {
        case null
        case text(String)
        case bytes([UInt8])
        case integer(Int64)
        case boolean(Bool)
    }

    private struct Field {
        var name: String
        var type: LogicalType
        var value: @Sendable (StoredLetter) -> Value

        init(_ name: String, _ type: LogicalType, _ value: @escaping @Sendable (StoredLetter) -> Value) {
            self.name = name
            self.type = type
            self.value = value
        }
    }

    /// The names that a filter may use, in the order of the documentation.
    public static var names: [String] { fields.map(\.name) }

    private static let fields: [Field] = [
        Field("stage", .string) { .text($0.letter.stage.rawValue) },
        Field("code", .string) { .text($0.letter.code) },
        Field("message", .string) { .text($0.letter.message) },
        Field("field", .string) { text($0.letter.field) },
        Field("event_type", .string) { text($0.eventType) },
        Field("aggregation", .string) { text($0.letter.aggregation) },
        Field("stream", .string) { text($0.letter.step?.stream) },
        Field("step", .long) { letter in letter.letter.step.map { .integer(Int64($0.number)) } ?? .null },
        Field("config", .string) { text($0.letter.configPlace) },
        Field("time", .timestamp) { .integer($0.letter.timeMilliseconds) },
        Field("retries", .long) { .integer(Int64($0.letter.retryCount)) },
        Field("replayed", .boolean) { .boolean($0.isReplayed) },
        Field("position", .long) { .integer($0.offset) },
        Field("topic", .string) { letter in
            if case .topic(let partition, _) = letter.letter.origin { .text(partition.topic) } else { .null }
        },
        Field("partition", .long) { letter in
            if case .topic(let partition, _) = letter.letter.origin {
                .integer(Int64(partition.partition))
            } else {
                .null
            }
        },
        Field("offset", .long) { letter in
            if case .topic(_, let offset) = letter.letter.origin { .integer(offset) } else { .null }
        },
        Field("file", .string) { letter in
            if case .file(let file, _, _) = letter.letter.origin { .text(file) } else { .null }
        },
        Field("line", .long) { letter in
            if case .file(_, let line, _) = letter.letter.origin { .integer(Int64(line)) } else { .null }
        },
        Field("table", .string) { letter in
            if case .table(let table) = letter.letter.origin { .text(table) } else { .null }
        },
        Field("key", .string) { letter in letter.letter.key.map { .bytes($0) } ?? .null },
        Field("value", .string) { letter in letter.letter.value.map { .bytes($0) } ?? .null },
    ]

    private static let schema = BatchSchema(fields.map { ColumnSpec($0.name, $0.type, isNullable: true) })

    private static func text(_ text: String?) -> Value { text.map { .text($0) } ?? .null }

    private static func append(_ value: Value, to column: ColumnVector) {
        switch (column, value) {
        case (.bytes(let vector), .text(let text)): vector.append(text)
        // Text that is no UTF-8 is compared as it is shown.
        case (.bytes(let vector), .bytes(let bytes)): vector.append(String(decoding: bytes, as: UTF8.self))
        case (.bytes(let vector), _): vector.appendNull()
        case (.int64(let vector), .integer(let number)): vector.append(number)
        case (.int64(let vector), _): vector.appendNull()
        case (.boolean(let vector), .boolean(let flag)): vector.append(flag)
        case (.boolean(let vector), _): vector.appendNull()
        default: preconditionFailure("no field of a letter has another type")
        }
    }

    private struct Scope: ExpressionScope {
        var description: String { "a dead letter" }
        var knownNames: [String] { LetterFilter.names }

        func resolve(_ path: [String]) -> ScopeEntry? {
            guard path.count == 1, let field = LetterFilter.fields.first(where: { $0.name == path[0] }) else {
                return nil
            }
            return ScopeEntry(column: field.name, type: field.type, isNullable: true)
        }
    }
}
