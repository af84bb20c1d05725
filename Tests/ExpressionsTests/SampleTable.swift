import DataPath
import Diagnostics
import Expressions

/// A scope over the columns of a schema; `amount` is money held in `amount_cents`, `event_type` is `purchase`.
struct TableScope: ExpressionScope {
    var schema: BatchSchema
    var description: String { "event type 'purchase'" }
    var knownNames: [String] { schema.columns.map(\.name) + ["amount", "event_type"] }

    func resolve(_ path: [String]) -> ScopeEntry? {
        let name = path.joined(separator: ".")
        if name == "event_type" {
            return ScopeEntry(column: "", type: .string, isNullable: false, constant: "purchase")
        }
        let column = name == "amount" ? "amount_cents" : name
        guard let spec = schema.columns.first(where: { $0.name == column }) else { return nil }
        return ScopeEntry(
            column: column, type: spec.type, isNullable: spec.isNullable, moneyScale: name == "amount" ? 2 : nil)
    }
}

/// A small table with nulls, as batches and as SQL.
struct SampleTable {
    var rows: [[String?]]

    static let specs: [ColumnSpec] = [
        ColumnSpec("id", .long), ColumnSpec("i", .int, isNullable: true), ColumnSpec("l", .long, isNullable: true),
        ColumnSpec("d", .double, isNullable: true),
        ColumnSpec("m", .decimal(precision: 10, scale: 2), isNullable: true),
        ColumnSpec("amount_cents", .long, isNullable: true), ColumnSpec("s", .string, isNullable: true),
        ColumnSpec("u", .string), ColumnSpec("b", .boolean, isNullable: true),
        ColumnSpec("ts", .timestamp, isNullable: true),
    ]

    static let ddl =
        "create table t(id bigint, i integer, l bigint, d double, m decimal(10,2), amount_cents bigint, s varchar, "
        + "u varchar, b boolean, ts timestamp, amount decimal(38,2))"

    init(count: Int, seed: UInt64) {
        var random = SplitMix(state: seed)
        func maybe(_ text: String) -> String? { random.below(5) == 0 ? nil : text }
        rows = (0..<count).map { id in
            [
                "\(id)", maybe("\(random.below(21) - 10)"), maybe("\(random.below(2001) - 1000)"),
                maybe("\(Double(random.below(401) - 200) / 4)"), maybe("\(random.below(20001) - 10000)"),
                maybe("\(random.below(20001) - 5000)"),
                maybe(["a", "ab", "B", "US", "de", "", "x_y", "é%", "Abc"][random.below(9)]),
                ["a", "b", "US", "éa"][random.below(4)], maybe(random.below(2) == 0 ? "true" : "false"),
                maybe("\((random.below(40_000_000) - 10_000_000) * 60_123)"),
            ]
        }
    }

    static func schema(dictionary: Bool) -> BatchSchema {
        BatchSchema(
            specs.map { spec in
                var spec = spec
                if spec.type == .string, dictionary { spec.encoding = .dictionary }
                return spec
            })
    }

    func batch(_ range: Range<Int>, schema: BatchSchema) -> RecordBatch {
        let batch = RecordBatch(schema: schema)
        for row in rows[range] {
            for (column, text) in zip(batch.columns, row) { append(text, to: column) }
        }
        batch.rowCount = range.count
        return batch
    }

    private func append(_ text: String?, to column: ColumnVector) {
        switch column {
        case .boolean(let vector): if let text { vector.append(text == "true") } else { vector.appendNull() }
        case .int64(let vector):
            if let value = text.flatMap({ Int64($0) }) { vector.append(value) } else { vector.appendNull() }
        case .int128(let vector):
            if let value = text.flatMap({ Int128($0) }) { vector.append(value) } else { vector.appendNull() }
        case .double(let vector):
            if let value = text.flatMap({ Double($0) }) { vector.append(value) } else { vector.appendNull() }
        case .bytes(let vector): if let text { vector.append(text) } else { vector.appendNull() }
        case .dictionary(let vector, let dictionary):
            if let text {
                vector.append(Array(text.utf8).withUnsafeBytes { dictionary.code(for: $0) })
            } else {
                vector.appendNull()
            }
        case .hash: break
        }
    }

    /// The rows as SQL value lists.
    var sql: [String] {
        rows.map { row in
            var values = zip(Self.specs, row).map { spec, text -> String in
                guard let text else { return "null" }
                switch spec.name {
                case "m": return Self.decimal(text)
                case "s", "u": return "'\(text)'"
                case "ts": return "epoch_ms(\(text))"
                default: return text
                }
            }
            values.append(row[5].map(Self.decimal) ?? "null")
            return values.joined(separator: ", ")
        }
    }

    private static func decimal(_ unscaled: String) -> String { unscaled + "::decimal(38,0) * 0.01" }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
}

/// The values of a column as text; nil for null.
func texts(_ column: ColumnVector, _ type: LogicalType) -> [String?] {
    switch column {
    case .boolean(let v): (0..<v.count).map { v.nulls[$0] ? nil : "\(v.values[$0])" }
    case .int64(let v): (0..<v.count).map { v.nulls[$0] ? nil : "\(v.values[$0])" }
    case .double(let v): (0..<v.count).map { v.nulls[$0] ? nil : "\(v.values[$0])" }
    case .int128(let v):
        (0..<v.count).map { row in
            guard !v.nulls[row], case .decimal(_, let scale) = type else { return nil }
            let digits = "\(v.values[row].magnitude)"
            let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
            return (v.values[row] < 0 ? "-" : "")
                + (scale == 0 ? padded : "\(padded.dropLast(scale)).\(padded.suffix(scale))")
        }
    case .bytes(let v): (0..<v.count).map { v.nulls[$0] ? nil : v.string($0) }
    case .dictionary, .hash: []
    }
}

/// Types an expression over the sample table and returns it with what was reported.
func typed(_ text: String, predicate: Bool = false) -> (TypedExpression?, Diagnostics) {
    var diagnostics = Diagnostics()
    let base = SourceLocation(file: "d.yaml", line: 7, column: 13)
    guard let syntax = ExpressionSyntax.parse(ExpressionSource(text, at: base, textColumnOffset: 1), into: &diagnostics)
    else { return (nil, diagnostics) }
    let scope = TableScope(schema: SampleTable.schema(dictionary: false))
    let result =
        predicate
        ? TypedExpression.predicate(syntax, text: text, scope: scope, into: &diagnostics)
        : TypedExpression.make(syntax, text: text, scope: scope, into: &diagnostics)
    return (result, diagnostics)
}
