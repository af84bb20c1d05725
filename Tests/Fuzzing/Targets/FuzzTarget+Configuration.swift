import AvroSchema
import ConfigTree
import Diagnostics
import PlatformModel
import ProjectConfig
import YAMLTree

extension FuzzTarget {
    /// A configuration file: either a tree or errors with places that can be shown; `config show` prints a tree that is
    /// read back as the same values; variables resolve.
    static let yaml = FuzzTarget("yaml") { input in
        let bytes = Array(input)
        var diagnostics = Diagnostics()
        let tree = YAMLTree.parse(bytes: bytes, file: "f.yaml", layer: ConfigLayer("domain"), into: &diagnostics)
        try promise((tree == nil) == diagnostics.hasErrors, "a tree with errors, or neither")
        try show(diagnostics, bytes)
        guard let tree else { return }

        let printer = ConfigPrinter()
        let printed = printer.yaml(tree)
        var again = Diagnostics()
        let second = YAMLTree.parse(
            bytes: Array(printed.utf8), file: "f.yaml", layer: ConfigLayer("domain"), into: &again)
        guard let second else {
            throw BrokenPromise(description: "printed and not read: \(DiagnosticRenderer().text(again))\n\(printed)")
        }
        try promise(
            printer.json(second).text() == printer.json(tree).text(), "printed as other values:\n\(printed)")

        var resolving = Diagnostics()
        let resolver = VariableResolver(
            environment: { $0.count < 3 ? nil : "a value of \($0)" }, secret: { $0.count < 3 ? nil : "secret" })
        let resolved = resolver.resolve(tree, into: &resolving)
        _ = printer.yaml(resolved)
        try show(resolving, bytes)
    }

    /// A domain: checked, or refused with findings that can be shown; the schema of each event type is read back.
    static let domain = FuzzTarget("domain", byteLimit: 8192) { input in
        let bytes = Array(input)
        var diagnostics = Diagnostics()
        let domain = FuzzDomain.check(bytes, into: &diagnostics)
        try show(diagnostics, bytes)
        guard let domain, !diagnostics.hasErrors else { return }
        for type in domain.eventTypes {
            let schema = AvroSchema.record(type.schema)
            do {
                let read = try AvroSchema.parse(json: schema.json(pretty: true))
                try promise(
                    read.parsingCanonicalForm == schema.parsingCanonicalForm,
                    "the schema of '\(type.name)' is read back as another one")
            } catch let error as AvroSchemaError {
                throw BrokenPromise(description: "the schema of '\(type.name)' is not one: \(error)")
            }
        }
    }

    /// Findings are shown as text with the lines they are about, and as JSON.
    static func show(_ diagnostics: Diagnostics, _ bytes: [UInt8]) throws {
        var sources = SourceTexts()
        for file in ["f.yaml", "d.yaml"] { sources[file] = SourceText(bytes: bytes) }
        let renderer = DiagnosticRenderer(sources: sources)
        let text = renderer.text(diagnostics)
        try promise(text.isEmpty == diagnostics.items.isEmpty, "findings without text")
        _ = renderer.json(diagnostics).text()
    }
}
