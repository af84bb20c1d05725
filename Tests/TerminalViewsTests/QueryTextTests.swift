import Foundation
import PluginAPI
import Testing

@testable import TerminalViews

@Suite("Query results as CSV and JSON")
struct QueryTextTests {
    let result = QueryResult(
        columns: ["name", "n", "x", "n"],
        rows: [
            [.text("a \"b\", c\r\n"), .integer(.max), .double(0.1), .null],
            [.text(""), .integer(-1), .double(.infinity), .text("\u{1}é")],
        ])

    @Test("CSV quotes what needs it and tells null from empty")
    func csv() {
        #expect(
            QueryText.csv(result)
                == "name,n,x,n\n\"a \"\"b\"\", c\r\n\",9223372036854775807,0.1,\n\"\",-1,inf,\u{1}é\n")
    }

    @Test("JSON keeps numbers, column order and both of two equal names")
    func json() {
        #expect(
            QueryText.json(result) == #"""
                [
                  {"name": "a \"b\", c\r\n", "n": 9223372036854775807, "x": 0.1, "n_2": null},
                  {"name": "", "n": -1, "x": null, "n_2": "\u0001é"}
                ]

                """#)
        #expect(QueryText.json(QueryResult(columns: ["a"], rows: [])) == "[]\n")
    }

    @Test("another JSON parser reads the same values back", arguments: [0.1, -1e-300, 1e22, 5e-324, 123456.0])
    func roundTrip(value: Double) throws {
        let text = QueryText.json(QueryResult(columns: ["v\"\\"], rows: [[.double(value)]]))
        let rows = try JSONDecoder().decode([[String: Double]].self, from: Data(text.utf8))
        #expect(rows == [["v\"\\": value]])
    }
}
