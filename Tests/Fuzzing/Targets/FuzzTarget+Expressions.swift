import DataPath
import Diagnostics
import Expressions

extension FuzzTarget {
    /// An expression: its canonical text is parsed to the same expression; what can be typed runs over rows with nulls
    /// and extremes, and gives the same for one batch as row by row.
    static let expression = FuzzTarget("expression", byteLimit: 1024) { input in
        let text = String(decoding: input, as: UTF8.self)
        let place = SourceLocation(file: "f.yaml", line: 1, column: 1)
        var diagnostics = Diagnostics()
        let source = ExpressionSource(text, at: place, textColumnOffset: 0)
        guard let syntax = ExpressionSyntax.parse(source, into: &diagnostics) else {
            try promise(diagnostics.hasErrors, "no expression and no error")
            return try show(diagnostics, Array(input))
        }
        let printed = syntax.description
        var again = Diagnostics()
        let second = ExpressionSyntax.parse(ExpressionSource(printed, at: place), into: &again)
        // Parentheses around every operator may nest deeper than a text may.
        if second == nil, printed.utf8.count > 100, again.items.first?.message.contains("levels deep") == true {
            return
        }
        try promise(second?.description == printed, "printed as \(printed), read as \(second?.description ?? "-")")

        var findings = Diagnostics()
        guard
            let typed = TypedExpression.make(syntax, text: text, scope: FuzzTable.scope, into: &findings)
        else {
            try promise(findings.hasErrors, "neither typed nor refused")
            return try show(findings, Array(input))
        }
        let whole = try BoundProgram(typed.program, schema: FuzzTable.schema)
        let values = evaluate(typed, whole, FuzzTable.batch(0..<FuzzTable.rowCount))
        let single = try BoundProgram(typed.program, schema: FuzzTable.schema)
        let parts = (0..<FuzzTable.rowCount).map { evaluate(typed, single, FuzzTable.batch($0..<$0 + 1)) }
        try promise(values == parts.joined(), "another value for a row of a batch than for the row:\n\(values)")
    }

    /// The values as text, a line a row.
    private static func evaluate(_ typed: TypedExpression, _ program: BoundProgram, _ batch: RecordBatch) -> String {
        let vector = program.evaluate(batch)
        let spec = ColumnSpec("value", typed.type, isNullable: true)
        let result = RecordBatch(schema: BatchSchema([spec]), columns: [vector], rowCount: batch.rowCount)
        return lines(result)
    }
}

/// A few rows of every type.
private enum FuzzTable {
    struct Scope: ExpressionScope {
        var description: String { "the table" }
        var knownNames: [String] { schema.columns.map(\.name) + ["amount", "kind"] }

        func resolve(_ path: [String]) -> ScopeEntry? {
            let name = path.joined(separator: ".")
            if name == "kind" { return ScopeEntry(column: "", type: .string, isNullable: false, constant: "k") }
            let column = name == "amount" ? "l" : name
            guard let spec = schema.columns.first(where: { $0.name == column }) else { return nil }
            return ScopeEntry(
                column: column, type: spec.type, isNullable: spec.isNullable, moneyScale: name == "amount" ? 2 : nil)
        }
    }

    static let scope = Scope()
    static let schema = BatchSchema([
        ColumnSpec("i", .int), ColumnSpec("l", .long, isNullable: true), ColumnSpec("d", .double, isNullable: true),
        ColumnSpec("m", .decimal(precision: 10, scale: 2), isNullable: true),
        ColumnSpec("s", .string, isNullable: true), ColumnSpec("u", .string, encoding: .dictionary),
        ColumnSpec("b", .boolean, isNullable: true), ColumnSpec("t", .timestamp, isNullable: true),
        ColumnSpec("a", .date, isNullable: true),
    ])
    static let rowCount = 4

    private static let longs: [Int64?] = [0, nil, .max, .min]
    private static let doubles: [Double?] = [-0.0, nil, .infinity, 1e300]
    private static let decimals: [Int128?] = [0, nil, 9_999_999_999, -9_999_999_999]
    private static let texts: [String?] = ["", nil, "2024-02-29 12:00:00", "é%_\u{1F600}"]
    private static let booleans: [Bool?] = [true, nil, false, true]
    private static let times: [Int64?] = [0, nil, 253_402_300_799_999, -62_135_596_800_000]
    private static let days: [Int64?] = [0, nil, 2_932_896, -719_162]

    static func batch(_ rows: Range<Int>) -> RecordBatch {
        let batch = RecordBatch(schema: schema)
        for row in rows {
            put(Int64(row - 2), batch.columns[0])
            put(longs[row], batch.columns[1])
            put(doubles[row], batch.columns[2])
            put(decimals[row], batch.columns[3])
            put(texts[row], batch.columns[4])
            put(texts[row] ?? "x", batch.columns[5])
            put(booleans[row], batch.columns[6])
            put(times[row], batch.columns[7])
            put(days[row], batch.columns[8])
        }
        batch.rowCount = rows.count
        return batch
    }

    private static func put(_ value: Any?, _ column: ColumnVector) {
        switch (column, value) {
        case (.int64(let vector), let value as Int64): vector.append(value)
        case (.int64(let vector), _): vector.appendNull()
        case (.double(let vector), let value as Double): vector.append(value)
        case (.double(let vector), _): vector.appendNull()
        case (.int128(let vector), let value as Int128): vector.append(value)
        case (.int128(let vector), _): vector.appendNull()
        case (.boolean(let vector), let value as Bool): vector.append(value)
        case (.boolean(let vector), _): vector.appendNull()
        case (.bytes(let vector), let value as String): vector.append(value)
        case (.bytes(let vector), _): vector.appendNull()
        case (.dictionary(let vector, let dictionary), let value as String):
            Array(value.utf8).withUnsafeBytes { vector.append(dictionary.code(for: $0)) }
        default: break
        }
    }
}
