import ConfigTree
import Diagnostics
import Testing

@Suite("Variables")
struct VariableTests {
    private func scalar(_ text: String, plain: Bool = true, column: Int = 5) -> ConfigNode {
        ConfigNode(
            .scalar(ConfigScalar(text, isPlain: plain, textColumnOffset: plain ? 0 : 1)),
            at: SourceLocation(file: "f", line: 1, column: column), layer: ConfigLayer("x"))
    }

    private func map(_ pairs: [(String, ConfigNode)]) -> ConfigNode {
        let place = SourceLocation(file: "f", line: 1, column: 1)
        let entries = pairs.map { ConfigMapping.Entry(key: $0.0, keyLocation: place, node: $0.1) }
        return ConfigNode(.mapping(ConfigMapping(entries)), at: place, layer: ConfigLayer("x"))
    }

    private let resolver = VariableResolver(
        environment: { ["PORT": "9092", "EMPTY": "", "EVIL": "$<secret:A>"][$0] },
        secret: { ["A": "s3cret", "NUMBER": "42", "NULL": "null"][$0] })

    @Test(
        "values take the place of variables",
        arguments: [
            ("$<env:PORT>", "9092"), ("${env:PORT}", "9092"), ("h:$<env:PORT>/x", "h:9092/x"),
            ("$<env:NONE:-a b>", "a b"), ("$<env:NONE:->", ""), ("$<env:EMPTY:-x>", ""),
            ("$$<env:PORT>", "$<env:PORT>"),
            ("$${x}", "${x}"), ("$$$<env:PORT>", "$$<env:PORT>"), ("5$ or $x", "5$ or $x"),
            ("$<env:EVIL>", "$<secret:A>"),
            ("u:$<secret:A>@${secret:NUMBER}", "u:s3cret@42"),
        ])
    func resolves(text: String, expected: String) {
        var diagnostics = Diagnostics()
        #expect(resolver.resolve(scalar(text), into: &diagnostics).scalar?.text == expected)
        #expect(diagnostics.items.isEmpty)
    }

    @Test("what was resolved is never resolved again")
    func once() {
        var diagnostics = Diagnostics()
        let first = resolver.resolve(scalar("$<env:EVIL>"), into: &diagnostics)
        #expect(resolver.resolve(first, into: &diagnostics).scalar?.text == "$<secret:A>")
        #expect(first.scalar?.isSecret == false)
    }

    @Test("the result is typed: a plain scalar becomes an integer, a quoted one stays a string")
    func typing() {
        var diagnostics = Diagnostics()
        #expect(resolver.resolve(scalar("$<env:PORT>"), into: &diagnostics).scalar?.coreType == .integer(9092))
        let quoted = resolver.resolve(scalar("$<env:PORT>", plain: false), into: &diagnostics)
        #expect(quoted.scalar?.coreType == .string("9092"))
        let number = resolver.resolve(scalar("$<secret:NUMBER>"), into: &diagnostics)
        #expect(readString(number, path: "password", into: &diagnostics) == "42")
        #expect(resolver.resolve(scalar("$<secret:NULL>"), into: &diagnostics).isNull == false)
        #expect(diagnostics.items.isEmpty)
    }

    @Test("without a lookup for secrets a scalar that holds one stays as it was written")
    func environmentOnly() {
        var diagnostics = Diagnostics()
        let onlyEnvironment = VariableResolver(environment: { _ in "v" })
        let text = "$<env:PORT>:$<secret:A>"
        #expect(onlyEnvironment.resolve(scalar(text), into: &diagnostics).scalar?.text == text)
        #expect(onlyEnvironment.resolve(scalar("$<env:PORT>"), into: &diagnostics).scalar?.text == "v")
    }

    @Test("all that is missing is reported at once, each name with its places")
    func missing() {
        let tree = map([
            ("a", scalar("$<secret:ONE>", column: 4)), ("b", scalar("x$<secret:TWO>", plain: false, column: 20)),
            ("c", scalar("$<secret:ONE>", column: 40)), ("d", scalar("$<env:GONE>", column: 60)),
            ("x-free", scalar("$<secret:THREE>")),
        ])
        var diagnostics = Diagnostics()
        _ = resolver.resolve(tree, path: "sinks.primary", into: &diagnostics)
        let found = diagnostics.sorted
        #expect(found.map(\.code.id) == ["SP1023", "SP1023", "SP1022"])
        #expect(found.map(\.location?.column) == [4, 22, 60])
        #expect(found.map(\.path) == ["sinks.primary.a", "sinks.primary.b", "sinks.primary.d"])
        #expect(found[0].notes.map(\.location?.column) == [40])
    }

    @Test(
        "a malformed variable is an error with its place inside the string",
        arguments: [
            ("a $<env:X", 3..<10), ("$<x:Y>", 1..<7), ("${HOME}", 1..<8), ("$<env:1A>", 1..<10), ("$<secret:>", 1..<11),
            ("$<secret:A:-d>", 1..<15), ("$<env:A:-${env:B}>", 1..<19), ("$<env:>", 1..<8),
        ])
    func malformed(text: String, columns: Range<Int>) {
        var diagnostics = Diagnostics()
        VariableResolver.checkSyntax(scalar(text, column: 1), into: &diagnostics)
        #expect(diagnostics.items.map(\.code.id) == ["SP1021"])
        #expect(diagnostics.items.first?.location?.column == columns.lowerBound)
        #expect(diagnostics.items.first?.location?.endColumn == columns.upperBound)
        #expect(diagnostics.items.first?.hint != nil)
    }

    @Test("a failing backend is one error with every place, and an unknown error's text is not shown")
    func failingBackend() {
        struct Leak: Error, CustomStringConvertible { var description: String { "s3cret" } }
        let failing = VariableResolver(secret: { _ in throw Leak() })
        var diagnostics = Diagnostics()
        _ = failing.resolve(map([("a", scalar("$<secret:A>")), ("b", scalar("$<secret:B>"))]), into: &diagnostics)
        #expect(diagnostics.items.map(\.code.id) == ["SP1024"])
        #expect(diagnostics.items.first?.notes.count == 1)
        #expect(!DiagnosticRenderer().text(diagnostics).contains("s3cret"))
    }

    @Test("a secret never reaches a message about its value")
    func masked() {
        var diagnostics = Diagnostics()
        let tree = resolver.resolve(
            map([
                ("delay", scalar("$<secret:A>")), ("mode", scalar("$<secret:A>")), ("port", scalar("$<secret:NUMBER>")),
            ]), into: &diagnostics)
        guard var reader = MappingReader(tree, path: "", into: &diagnostics) else { return }
        _ = reader.durationMilliseconds("delay", into: &diagnostics)
        _ = reader.choice("mode", of: ["s3cre"], into: &diagnostics)
        _ = reader.integer("port", in: 1...2, into: &diagnostics)
        let text = DiagnosticRenderer().text(diagnostics)
        #expect(diagnostics.items.count == 3)
        #expect(!text.contains("s3cret") && !text.contains("42") && text.contains("***"))
    }
}

@Suite("Dotenv")
struct DotenvTests {
    @Test(
        "values",
        arguments: [
            ("A=1", "1"), ("export A=1", "1"), ("  A = a b  # c", "a b"), ("A=a#b", "a#b"), ("A=", ""),
            ("A='$x \\n'", "$x \\n"),
            ("A=\"l1\\nl2\\\"\"", "l1\nl2\""), ("A=\"l1\nl2\" # c", "l1\nl2"), ("# c\r\nA=1\r\n", "1"),
            ("export=x\nA=2", "2"),
        ])
    func values(text: String, expected: String) {
        var diagnostics = Diagnostics()
        #expect(DotenvText.parse(bytes: Array(text.utf8), file: ".env", into: &diagnostics)["A"] == expected)
        #expect(diagnostics.items.isEmpty)
    }

    @Test(
        "errors have places and show no value",
        arguments: [
            ("B=1\nA s3cret", 2, 1), ("A='s3cret", 1, 3), ("A=\"s3cret\" s3cret", 1, 12), ("A=\"\\q s3cret\"", 1, 4),
            ("A=1\nA=s3cret", 2, 1), ("1A=s3cret", 1, 1),
        ])
    func errors(text: String, line: Int, column: Int) {
        var diagnostics = Diagnostics()
        _ = DotenvText.parse(bytes: Array(text.utf8), file: ".env", into: &diagnostics)
        #expect(diagnostics.items.first?.location?.line == line)
        #expect(diagnostics.items.first?.location?.column == column)
        #expect(!DiagnosticRenderer().text(diagnostics).contains("s3cret"))
    }
}
