import Diagnostics
import Foundation
import Testing

@Suite("Diagnostic renderer")
struct DiagnosticRendererTests {
    private let code = DiagnosticCode("SP2031", "Test.")

    private func renderer(_ text: String, colored: Bool = false) -> DiagnosticRenderer {
        var sources = SourceTexts()
        sources["domains/orders.yaml"] = SourceText(bytes: Array(text.utf8))
        return DiagnosticRenderer(sources: sources, isColored: colored)
    }

    private func finding(line: Int, _ columns: Range<Int>) -> Diagnostic {
        Diagnostic(
            code, "unknown field 'totl_amount' in aggregation 'revenue'",
            at: SourceLocation(
                file: "domains/orders.yaml", line: line, column: columns.lowerBound, endColumn: columns.upperBound),
            notes: [.init("set here", at: SourceLocation(file: "a.yaml", line: 2, column: 3))],
            hint: "did you mean 'total_amount'? (event type 'purchase')")
    }

    @Test("the text form is the documented one")
    func textForm() {
        let text = String(repeating: "\n", count: 17) + "    field: metrics.totl_amount\n"
        #expect(
            renderer(text).text(finding(line: 18, 12..<31)) == """
                domains/orders.yaml:18:12: error[SP2031]: unknown field 'totl_amount' in aggregation 'revenue'
                   18 |     field: metrics.totl_amount
                      |            ^~~~~~~~~~~~~~~~~~~
                   note: set here: a.yaml:2:3
                   hint: did you mean 'total_amount'? (event type 'purchase')

                """)
    }

    @Test("wide characters and tabs before the place keep the caret under it")
    func wideCharacters() {
        let lines = renderer("\t日本: x").text(finding(line: 1, 6..<7)).split(separator: "\n")
        #expect(lines[1] == "    1 | \t日本: x")
        #expect(lines[2] == "      | \t      ^")
    }

    @Test("a long line is cut around the place")
    func longLine() {
        let text = String(repeating: "a", count: 500) + "BAD" + String(repeating: "b", count: 500)
        let lines = renderer(text).text(finding(line: 1, 501..<504)).split(separator: "\n")
        #expect(lines[1].count < 180)
        let caret = lines[2].firstIndex(of: "^").map { lines[2].distance(from: lines[2].startIndex, to: $0) }
        #expect(caret.map { lines[1].dropFirst($0).hasPrefix("BAD") } == true)
        #expect(lines[2].hasSuffix("^~~"))
    }

    @Test("control characters never reach the terminal")
    func controlCharacters() {
        let evil = Diagnostic(code, "unknown key 'a\u{1B}[2Jb'", at: SourceLocation(file: "f", line: 1, column: 1))
        var sources = SourceTexts()
        sources["f"] = SourceText(bytes: Array("a\u{1B}[2Jb".utf8))
        let text = DiagnosticRenderer(sources: sources).text(evil)
        #expect(!text.contains("\u{1B}"))
    }

    @Test("colour only where it is asked for")
    func colour() {
        #expect(renderer("x", colored: true).text(finding(line: 1, 1..<2)).contains("\u{1B}[1;31merror[SP2031]:"))
    }

    @Test("JSON holds the same fields, is valid and sorted by place")
    func json() throws {
        var diagnostics = Diagnostics()
        diagnostics.add(finding(line: 2, 1..<2))
        diagnostics.warning(code, "quote \" backslash \\ tab \t \u{1}", at: finding(line: 1, 3..<4).location)
        let text = renderer("äx\ny").json(diagnostics).text()
        let decoded = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
        let list = try #require(decoded)
        #expect(list.map { $0["line"] as? Int } == [1, 2])
        #expect(list[0]["message"] as? String == "quote \" backslash \\ tab \t \u{1}")
        #expect(list[0]["severity"] as? String == "warning")
        #expect(list[1]["excerpt"] as? String == "y")
        #expect((list[1]["notes"] as? [[String: Any]])?.first?["file"] as? String == "a.yaml")
        #expect(
            list[0].keys.sorted() == [
                "code", "column", "component", "end_column", "excerpt", "file", "hint", "line", "message", "notes",
                "path", "severity",
            ])
    }

    @Test("a failure of the outside world names its component")
    func pipelineError() {
        let error = PipelineError(
            DiagnosticCode("SP6001", "Test."), "the disk is full", hint: "free some space", component: "sink primary")
        #expect(
            DiagnosticRenderer().text(error)
                == "error[SP6001]: sink primary: the disk is full\n   hint: free some space\n")
    }

    @Test("codes are unique and well-formed")
    func codes() {
        let ids = DiagnosticCode.all.map(\.id)
        #expect(Set(ids).count == ids.count)
        #expect(ids.allSatisfy { $0.wholeMatch(of: /SP[1-6]\d{3}/) != nil })
    }

    @Test("the summary counts", arguments: [(0, 0, ""), (1, 0, "1 error"), (2, 1, "2 errors, 1 warning")])
    func summary(errors: Int, warnings: Int, expected: String) {
        var diagnostics = Diagnostics()
        for index in 0..<errors { diagnostics.error(code, "e\(index)", at: nil) }
        for index in 0..<warnings { diagnostics.warning(code, "w\(index)", at: nil) }
        #expect(DiagnosticRenderer.summary(diagnostics) == expected)
    }
}
