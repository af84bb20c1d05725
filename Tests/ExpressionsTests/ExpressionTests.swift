import DataPath
import Diagnostics
import Expressions
import Testing

@Suite("Parsing expressions")
struct ParserTests {
    @Test(
        "operators bind as in DuckDB",
        arguments: [
            ("a or b and not c", "(a or (b and (not c)))"), ("not a = b", "(not (a = b))"),
            ("1 + 2 * 3 - 4", "((1 + (2 * 3)) - 4)"), ("- a * 3", "((- a) * 3)"),
            ("- (5) * a", "((- (5)) * a)"), ("- - 5", "(- (-5))"),
            ("a = b is null", "((a = b) is null)"), ("not a is not null", "(not (a is not null))"),
            ("a = b between 1 and 2", "(a = (b between 1 and 2))"), ("a in (1, 2) = true", "((a in (1, 2)) = true)"),
            ("x between 1 + 1 and 3 and y", "((x between (1 + 1) and 3) and y)"),
            ("s not like 'it''s%' or t", "((s not like 'it''s%') or t)"), ("m.\"or\" <> 1.50", "(m.\"or\" <> 1.50)"),
            ("extract(hour from ts) = 3", "(hour(ts) = 3)"),
            ("case x when 1 then 'a' else 'b' end", "case when (x = 1) then 'a' else 'b' end"),
        ])
    func precedence(text: String, expected: String) throws {
        var diagnostics = Diagnostics()
        let source = ExpressionSource(text, at: SourceLocation(file: "f", line: 1, column: 1), textColumnOffset: 0)
        #expect(try #require(ExpressionSyntax.parse(source, into: &diagnostics)).description == expected)
    }

    @Test(
        "an error stands at its place inside the YAML string",
        arguments: [
            ("amount > 'x'", "SP2303", 14, 26), ("i + totl > 1", "SP2302", 18, 22), ("i = ", "SP2301", 18, 19),
            ("i < l < d", "SP2301", 20, 21), ("lenght(s) = 1", "SP2304", 14, 23), ("s || u = 'a'", "SP2301", 16, 18),
            ("i = 'abc", "SP2301", 18, 19), ("s + 1 > 0", "SP2303", 14, 15),
            ("ts > timestamp '2024-02-30'", "SP2301", 29, 41), ("l = 9223372036854775807 + 1", "SP2305", 18, 41),
            ("i", "SP2303", 14, 15), ("i = 1 -- x", "SP2301", 20, 22), ("i::double > 1", "SP2301", 15, 17),
            ("d < 1e309", "SP2301", 18, 23), ("d > -1e1999999999949999", "SP2301", 19, 37),
        ])
    func places(text: String, code: String, column: Int, end: Int) throws {
        let (expression, diagnostics) = typed(text, predicate: true)
        #expect(expression == nil)
        let item = try #require(diagnostics.items.first)
        #expect(item.code.id == code)
        #expect(item.location == SourceLocation(file: "d.yaml", line: 7, column: column, endColumn: end))
    }

    @Test("quotes are doubled where a combining mark follows them, too", arguments: ["'", "\""])
    func combiningMark(_ quote: String) throws {
        let text = "s = \(quote)a\(quote)\(quote)\u{301}b\(quote)"
        var diagnostics = Diagnostics()
        let place = SourceLocation(file: "f", line: 1, column: 1)
        let first = ExpressionSyntax.parse(ExpressionSource(text, at: place), into: &diagnostics)
        let printed = try #require(first).description
        #expect(printed.unicodeScalars.elementsEqual("(\(text))".unicodeScalars))
        #expect(
            ExpressionSyntax.parse(ExpressionSource(printed, at: place), into: &diagnostics)?.description == printed)
    }

    @Test("a mistyped field gets the nearest name")
    func hint() {
        #expect(typed("amuont > 1").1.items.first?.hint == "did you mean 'amount'? (event type 'purchase')")
    }

    @Test("random texts never crash the parser")
    func garbage() {
        var random = SplitMix(state: 3)
        let parts = [
            "(", ")", "'", "a", " and ", "not ", "1", ".", "-", "case ", "when ", "in", ",", "\"", "é", "<", "between ",
        ]
        for _ in 0..<2000 {
            _ = typed((0..<random.below(12)).map { _ in parts[random.below(parts.count)] }.joined())
        }
        #expect(typed(String(repeating: "(", count: 5000)).0 == nil)
    }
}

@Suite("What a filter says about event types")
struct EventTypeTests {
    @Test(
        "names come from the top-level conjunction",
        arguments: [
            ("event_type = 'a' and i > 0", ["a"]), ("event_type in ('a', 'b')", ["a", "b"]),
            ("event_type = 'a' or event_type = 'b'", ["a", "b"]), ("i > 0", nil), ("event_type = 'a' or i > 0", nil),
            ("not event_type = 'a'", nil),
        ] as [(String, [String]?)])
    func names(text: String, expected: [String]?) {
        var diagnostics = Diagnostics()
        let syntax = ExpressionSyntax.parse(
            ExpressionSource(text, at: SourceLocation(file: "f", line: 1, column: 1)), into: &diagnostics)
        #expect(syntax?.eventTypeNames == expected.map { Set($0) })
    }

    @Test("a comparison with the event type is decided when it is typed")
    func folds() {
        #expect(typed("event_type = 'purchase' and i > 0").0?.columns == ["i"])
        #expect(typed("event_type = 'other' and i > 0").0?.constantTruth == false)
    }

    @Test("the map form is the same predicate as the text")
    func mapForm() {
        var diagnostics = Diagnostics()
        let place = SourceLocation(file: "f", line: 1, column: 1)
        let syntax = ExpressionSyntax.filter(
            field: ExpressionSource("metrics.total", at: place), operatorName: "less_than", operatorAt: place,
            values: [ExpressionSyntax(.literal(.integer(5)), at: place)], at: place, into: &diagnostics)
        #expect(syntax?.description == "(metrics.total < 5)")
        #expect(
            ExpressionSyntax.filter(
                field: ExpressionSource("x", at: place), operatorName: "is_nul", operatorAt: place, values: [],
                at: place, into: &diagnostics) == nil)
        #expect(diagnostics.items.first?.hint?.hasPrefix("did you mean 'is_null'?") == true)
    }
}

@Suite("Evaluating expressions")
struct EvaluationTests {
    @Test("splits into batches and dictionaries do not change results", arguments: [21, 22] as [UInt64])
    func splits(seed: UInt64) throws {
        let table = SampleTable(count: 40, seed: seed)
        var generator = RandomExpression(random: SplitMix(state: seed))
        for _ in 0..<60 {
            let text = generator.any()
            guard let expression = typed(text).0 else { continue }
            var results: [[String?]] = []
            for (dictionary, size) in [(false, 40), (true, 40), (true, 7), (false, 1)] {
                let schema = SampleTable.schema(dictionary: dictionary)
                let bound = try BoundProgram(expression.program, schema: schema)
                var all: [String?] = []
                for start in stride(from: 0, to: 40, by: size) {
                    let batch = table.batch(start..<min(40, start + size), schema: schema)
                    all += texts(bound.evaluate(batch), expression.type)
                }
                results.append(all)
            }
            #expect(results.allSatisfy { $0 == results[0] }, "seed \(seed): \(text)")
        }
    }

    @Test("a selection holds the rows that are true, and refining narrows it")
    func selects() throws {
        let table = SampleTable(count: 40, seed: 5)
        let schema = SampleTable.schema(dictionary: true)
        let batch = table.batch(0..<40, schema: schema)
        let positive = try BoundProgram(#require(typed("i > 0").0).program, schema: schema)
        let lettered = try BoundProgram(#require(typed("s like '%a%'").0).program, schema: schema)
        let selection = Selection()
        positive.select(batch, into: selection)
        lettered.select(batch, into: selection, refining: true)
        let expected = table.rows.indices.filter {
            (table.rows[$0][1].flatMap { Int($0) } ?? 0) > 0 && table.rows[$0][6]?.contains("a") == true
        }
        #expect((0..<selection.count).map { Int(selection.rows[$0]) } == expected)
    }

    @Test("overflow makes the row an error unless the branch is not taken")
    func overflow() throws {
        let schema = BatchSchema([ColumnSpec("l", .long)])
        let batch = RecordBatch(schema: schema)
        guard case .int64(let vector) = batch.columns[0] else { return }
        [1, Int64.max, 3].forEach { vector.append($0) }
        batch.rowCount = 3
        let plain = try BoundProgram(#require(typed("l + 1").0).program, schema: schema)
        #expect(texts(plain.evaluate(batch), .long) == ["2", nil, "4"])
        #expect(plain.errorRows == [1])
        let guarded = try BoundProgram(
            #require(typed("case when l < 100 then l + 1 else 0 end").0).program, schema: schema)
        #expect(texts(guarded.evaluate(batch), .long) == ["2", "0", "4"])
        #expect(guarded.errorRows.isEmpty)
    }
}
