import Diagnostics
import PluginAPI
import Testing

@testable import TerminalViews

@Suite("Terminal tables")
struct TerminalTableTests {
    let result = QueryResult(
        columns: ["device", "events", "revenue"],
        rows: [
            [.text("mobile"), .integer(1234), .text("10.50")],
            [.null, .integer(-7), .text("9.00")],
            [.text("日本"), .integer(0), .null],
        ])

    @Test("numbers and decimals stand right, texts left, wide characters take two columns")
    func aligned() {
        #expect(
            TerminalTable.render(result, maximumWidth: nil, unicode: true) == """
                device  events  revenue
                ──────  ──────  ───────
                mobile    1234    10.50
                NULL        -7     9.00
                日本         0     NULL
                (3 rows)

                """)
    }

    @Test("a long text is shortened only when a width is given, a number never")
    func shortened() {
        let long = QueryResult(
            columns: ["name", "n"], rows: [[.text("a rather long product name"), .integer(123_456_789_012)]])
        #expect(TerminalTable.render(long, maximumWidth: nil, unicode: true).contains("a rather long product name"))
        #expect(
            TerminalTable.render(long, maximumWidth: 24, unicode: true) == """
                name                   n
                ──────────  ────────────
                a rather …  123456789012
                (1 row)

                """)
    }

    @Test("combining marks take no column, emoji take two")
    func widths() {
        #expect(DisplayText.width("e\u{301}") == 1)
        #expect(DisplayText.width("👍🏽") == 2)
        #expect(DisplayText.width("❤️") == 2)
        #expect(DisplayText.width("🇩🇪") == 2)
        #expect(DisplayText.width("Zürich") == 6)
    }

    @Test("what would move the cursor is shown as an escape")
    func control() {
        #expect(VisibleText.escaped("a\u{1B}[2Jb\r\nc\t") == "a\\u{1b}[2Jb\\r\\nc\\t")
    }

    @Test("no rows and no columns still end with a count")
    func empty() {
        #expect(TerminalTable.render(QueryResult(columns: [], rows: []), maximumWidth: 80) == "(0 rows)\n")
        #expect(
            TerminalTable.render(QueryResult(columns: ["a"], rows: []), maximumWidth: 80, unicode: false)
                == "a\n-\n(0 rows)\n")
    }

    @Test("a text is a number only if all of it is one", arguments: ["", "-", "1.", ".5", "--1", "1.2.3", "1e5", "+1"])
    func notNumbers(text: String) {
        #expect(!TerminalTable.isNumber(.text(text)))
    }

    @Test("plain decimals are numbers", arguments: ["0", "-12.50", "007"])
    func numbers(text: String) {
        #expect(TerminalTable.isNumber(.text(text)))
    }
}
