import ConfigTree
import Diagnostics
import Testing
import YAMLTree

@Suite("YAML trees")
struct YAMLTreeTests {
    private func parse(_ text: String, sourceLocation: Testing.SourceLocation = #_sourceLocation) throws -> ConfigNode {
        var diagnostics = Diagnostics()
        let tree = YAMLTree.parse(
            bytes: Array(text.utf8), file: "f.yaml", layer: ConfigLayer("domain"), into: &diagnostics)
        return try #require(tree, "\(DiagnosticRenderer().text(diagnostics))", sourceLocation: sourceLocation)
    }

    @Test(
        "types are those of the 1.2 core schema",
        arguments: [
            ("NO", ScalarType.string("NO")), ("1_000", .string("1_000")), ("0o17", .integer(15)),
            ("0x1F", .integer(31)),
            ("1e3", .double(1000)), ("~", .null), ("true", .boolean(true)), ("yes", .string("yes")),
            ("\"5\"", .string("5")),
            ("!!str 5", .string("5")), ("!!int \"5\"", .integer(5)), ("12:30", .string("12:30")), ("! 5", .string("5")),
        ])
    func types(text: String, expected: ScalarType) throws {
        #expect(try parse("a: \(text)\n").node(at: "a")?.scalar?.coreType == expected)
    }

    @Test("nothing, a comment or an empty document is an empty map", arguments: ["", "# x\n", "---\n", "\u{FEFF}"])
    func empty(text: String) throws {
        #expect(try parse(text).mapping?.keys == [])
    }

    @Test("columns count Unicode scalars")
    func columns() throws {
        let tree = try parse("\u{FEFF}x: {ключ: \"日本\", 😀: e\u{301}, next: v}\n")
        #expect(tree.node(at: "x.next")?.location == SourceLocation(file: "f.yaml", line: 1, column: 30, endColumn: 31))
        let quoted = try #require(tree.node(at: "x.ключ"))
        #expect((quoted.location.column, quoted.location.endColumn) == (11, 15))
        #expect(quoted.location(ofText: 1..<2).column == 13)
    }

    @Test(
        "text columns map to source columns only without escapes",
        arguments: [
            ("abc", 0), ("\"abc\"", 1), ("'a c'", 1), ("\"a\\tc\"", nil), ("'a''c'", nil), ("|\n  abc", nil),
            ("abc\n  def", nil), ("&x abc", 0), ("!!str \"abc\"", 1),
        ] as [(String, Int?)])
    func textColumns(text: String, offset: Int?) throws {
        #expect(try parse("key: \(text)\n").node(at: "key")?.scalar?.textColumnOffset == offset)
    }

    @Test("a node with an anchor or a tag begins at its content")
    func anchoredPlaces() throws {
        let tree = try parse("a: &x !!str text\nb: &y\n  # comment\n  c: 1\nd: &z\ne: 1\n")
        #expect(tree.node(at: "a")?.location == SourceLocation(file: "f.yaml", line: 1, column: 13, endColumn: 17))
        #expect(tree.node(at: "b")?.location.line == 4)
        #expect(tree.node(at: "d")?.location.line == 5)
    }

    @Test("own keys win over merged ones, earlier maps over later ones, and history is kept")
    func mergeKeys() throws {
        let tree = try parse(
            """
            x-a: &a {one: 1, two: 2}
            x-b: &b {two: 22, three: 33}
            use:
              <<: [*a, *b]
              one: 111
            """)
        let use = try #require(tree.node(at: "use")?.mapping)
        #expect(use.keys == ["one", "two", "three"])
        #expect(use.keys.map { use[$0]?.scalar?.text } == ["111", "2", "33"])
        #expect(use["one"]?.overridden.map(\.location.line) == [1])
        #expect(use["three"]?.location.line == 2)
    }

    @Test("a quoted << is a key like any other")
    func quotedMergeKey() throws {
        #expect(try parse("\"<<\": 5\n").node(at: "<<")?.scalar?.text == "5")
    }

    @Test("a value inside another text keeps that text's columns")
    func values() throws {
        var diagnostics = Diagnostics()
        let start = SourceLocation(file: "--set", line: 2, column: 7)
        let node = YAMLTree.parseValue("[1, x]", at: start, layer: ConfigLayer("--set"), into: &diagnostics)
        #expect(node?.sequence?.last?.location == SourceLocation(file: "--set", line: 2, column: 11))
        #expect(YAMLTree.parseValue("a: 1", at: start, layer: ConfigLayer("--set"), into: &diagnostics) == nil)
        #expect(diagnostics.sorted.first?.location == start)
    }
}
