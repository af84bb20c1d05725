import ConfigTree
import Diagnostics
import Testing
import YAMLTree

@Suite("YAML errors")
struct YAMLErrorTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var input: [UInt8]
        var expected: String
        var testDescription: String { name }

        init(_ name: String, _ input: String, _ expected: String) {
            self.init(name, bytes: Array(input.utf8), expected)
        }

        init(_ name: String, bytes: [UInt8], _ expected: String) {
            self.name = name
            input = bytes
            self.expected = expected
        }
    }

    static let cases: [Case] = [
        Case(
            "tab indentation", "a:\n  b: 1\n\tc: 2\n",
            """
            f.yaml:3:1: error[SP1002]: a tab stands in the indentation
                3 | \tc: 2
                  | ^
               hint: YAML is indented with spaces only

            """),
        Case(
            "tab after spaces", "a:\n  b: \"x\"\n \tc: 2\n",
            """
            f.yaml:3:2: error[SP1002]: a tab stands in the indentation
                3 |  \tc: 2
                  |  ^
               hint: YAML is indented with spaces only

            """),
        Case(
            "two documents", "a: 1\n---\nb: 2\n",
            """
            f.yaml:2:1: error[SP1003]: a second document begins here
                2 | ---
                  | ^
               hint: a configuration file holds one document; put the second one into a file of its own

            """),
        Case(
            "not UTF-8", bytes: Array("a: caf".utf8) + [0xE9, 0x0A],
            """
            f.yaml:1:7: error[SP1004]: 'f.yaml' is not UTF-8 text: the byte at offset 6 fits no character
                1 | a: caf\u{FFFD}
                  |       ^
               hint: save it as UTF-8, for instance: iconv -f ISO-8859-1 -t UTF-8

            """),
        Case(
            "control character", "a: x\u{1}y\n",
            """
            f.yaml:1:5: error[SP1005]: the character U+1 is not allowed in YAML
                1 | a: x\u{FFFD}y
                  |     ^
               hint: write it as an escape in a double-quoted string: "\\u…"

            """),
        Case(
            "duplicate keys, all of them", "a: 1\nb: 2\na: 3\nb: 4\n",
            """
            f.yaml:3:1: error[SP1006]: the key 'a' stands twice in this map
                3 | a: 3
                  | ^
               note: first defined here: f.yaml:1:1
               hint: keep one of the two
            f.yaml:4:1: error[SP1006]: the key 'b' stands twice in this map
                4 | b: 4
                  | ^
               note: first defined here: f.yaml:2:1
               hint: keep one of the two

            """),
        Case(
            "unknown anchor", "a: &base 1\nb: *bse\n",
            """
            f.yaml:2:4: error[SP1007]: no anchor '&bse' stands before this alias
                2 | b: *bse
                  |    ^~~~
               hint: did you mean '*base'?

            """),
        Case(
            "cyclic alias", "a: &x\n  b: [*x]\n",
            """
            f.yaml:2:7: error[SP1008]: the alias '*x' stands inside the value that it names
                2 |   b: [*x]
                  |       ^~
               note: '&x' begins here: f.yaml:2:3
               hint: a configuration value cannot contain itself

            """),
        Case(
            "list as a key", "[1, 2]: x\n",
            """
            f.yaml:1:1: error[SP1012]: a key is a list
                1 | [1, 2]: x
                  | ^~~~~~
               hint: a key is text; quote it if it begins with '[' or '{'

            """),
        Case(
            "unknown tag", "a: !!set {b: 1}\nc: !mine 3\n",
            """
            f.yaml:1:10: error[SP1013]: the tag '!!set' is not known here
                1 | a: !!set {b: 1}
                  |          ^
               hint: remove it; accepted are !!str, !!int, !!float, !!bool, !!null, !!map and !!seq
            f.yaml:2:10: error[SP1013]: the tag '!mine' is not known here
                2 | c: !mine 3
                  |          ^
               hint: remove it; accepted are !!str, !!int, !!float, !!bool, !!null, !!map and !!seq

            """),
        Case(
            "tag that does not fit", "a: !!int x1\n",
            """
            f.yaml:1:10: error[SP1014]: the value is not what its tag '!!int' says
                1 | a: !!int x1
                  |          ^~
               hint: remove the tag, or write a value of that type

            """),
        Case(
            "merge of a scalar", "a:\n  <<: 5\n",
            """
            f.yaml:2:7: error[SP1015]: the merge key '<<' takes a map or a list of maps, found an integer
                2 |   <<: 5
                  |       ^
               hint: write <<: *anchor, or quote the key: "<<"

            """),
        Case(
            "second colon", "a: b: c\n",
            """
            f.yaml:1:5: error[SP1001]: a ':' stands where no key can be
                1 | a: b: c
                  |     ^
               hint: quote a value that holds ': '; check the indentation

            """),
        Case(
            "open quote", "a: 1\nb: \"x\nc: 2\n",
            """
            f.yaml:2:4: error[SP1001]: a quoted string is not closed
                2 | b: "x
                  |    ^
               hint: add the closing quote

            """),
        Case(
            "at sign", "a: @x\n",
            """
            f.yaml:1:4: error[SP1001]: a value cannot begin with this character
                1 | a: @x
                  |    ^
               hint: quote the value

            """),
    ]

    private func errors(_ bytes: [UInt8]) -> String {
        var diagnostics = Diagnostics()
        let tree = YAMLTree.parse(bytes: bytes, file: "f.yaml", layer: ConfigLayer("domain"), into: &diagnostics)
        #expect((tree == nil) == diagnostics.hasErrors)
        var sources = SourceTexts()
        sources["f.yaml"] = SourceText(bytes: bytes)
        return DiagnosticRenderer(sources: sources).text(diagnostics)
    }

    @Test("names the place and what to do", arguments: cases)
    func rendered(_ testCase: Case) {
        #expect(errors(testCase.input) == testCase.expected)
    }

    @Test("an alias bomb is refused at once")
    func aliasBomb() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let items = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(items)]\n"
        }
        let start = ContinuousClock.now
        #expect(
            errors(Array(text.utf8)).contains(
                "error[SP1009]: the aliases of this file expand to more than 100000 nodes"))
        #expect(ContinuousClock.now - start < .seconds(1))
    }

    @Test("64 levels are accepted, 65 are not", arguments: [(64, true), (65, false), (5000, false)])
    func depth(levels: Int, isAccepted: Bool) {
        let text = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        let found = errors(Array(text.utf8))
        #expect(found.isEmpty == isAccepted)
        #expect(isAccepted || found.contains("f.yaml:1:65: error[SP1010]"))
    }

    @Test("depth through aliases counts")
    func depthThroughAliases() {
        let nested = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        let outer = String(repeating: "[", count: 40) + "*a" + String(repeating: "]", count: 40)
        #expect(errors(Array("a: &a \(nested)\nb: \(outer)\n".utf8)).contains("error[SP1010]"))
    }

    @Test("more than 8 MiB is refused")
    func size() {
        let text = Array(repeating: UInt8(ascii: "#"), count: YAMLTree.byteLimit + 1)
        #expect(errors(text).contains("error[SP1011]"))
    }

    @Test("random bytes never crash the parser", arguments: 0..<20)
    func randomBytes(seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        let alphabet = Array("a:-[]{}&*!|>'\"%@`#, \n\t?~<\u{E4}x1".utf8)
        for _ in 0..<200 {
            var bytes: [UInt8] = []
            for _ in 0..<40 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(alphabet[Int(state >> 33) % alphabet.count])
            }
            var diagnostics = Diagnostics()
            let tree = YAMLTree.parse(bytes: bytes, file: "f", layer: ConfigLayer("x"), into: &diagnostics)
            #expect((tree == nil) == diagnostics.hasErrors, "seed \(seed): \(bytes)")
        }
    }
}
