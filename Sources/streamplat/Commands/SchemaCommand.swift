import ArgumentParser
import AvroSchema
import Diagnostics
import PlatformModel
import ProjectConfig
import StreamplatKit

struct SchemaCommand: FormattedCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the Avro schemas of a domain, or write them to schemas/<domain>/.")
    static let formats: [OutputFormat] = [.text, .json]

    @Argument(help: "One event type; else all of them.")
    var eventType: String?

    @Option(name: .long, help: "The domain: its name or the path of its file; else default_domain.")
    var domain: String?

    @Flag(name: .long, help: "Write schemas/<domain>/<event>.avsc.")
    var write = false

    @Flag(name: .long, help: "Fail if a written file differs from what would be written.")
    var check = false

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let project = try global.load(domain: domain)
        let definition = try project.requireDomain()
        if write || check {
            let files = SchemaFiles(domain: definition, root: project.configuration.root)
            return write ? try writeFiles(files) : try checkFiles(files)
        }
        if let eventType {
            guard let found = definition.eventType(eventType) else {
                throw DiagnosticsError(
                    Diagnostic(
                        .invalidValue, "domain '\(definition.name)' has no event type '\(eventType)'",
                        hint: nearestName(to: eventType, among: definition.eventTypes.map(\.name))
                            .map { "did you mean '\($0)'?" }
                            ?? "it has \(definition.eventTypes.map(\.name).joined(separator: ", "))"))
            }
            return print(AvroSchema.record(found.schema).json(pretty: true))
        }
        let schemas = definition.eventTypes.map { AvroSchema.record($0.schema).json(pretty: true) }
        // One JSON document for programs; for people one schema after the other.
        print(global.output == .json ? "[\n\(schemas.joined(separator: ",\n"))\n]" : schemas.joined(separator: "\n"))
    }

    private func writeFiles(_ files: SchemaFiles) throws {
        let written = try files.write()
        let obsolete = try files.stale().obsolete
        if global.output == .json { return show(files, written: written, obsolete: obsolete) }
        for path in written { global.say("wrote \(path)") }
        if written.isEmpty { global.say("all \(files.files.count) schema files are up to date") }
        for path in obsolete { global.say("\(path) belongs to no event type any more") }
    }

    private func checkFiles(_ files: SchemaFiles) throws {
        let stale = try files.stale()
        guard stale.changed.isEmpty else {
            var diagnostics = Diagnostics()
            for file in stale.changed {
                diagnostics.error(
                    .staleSchemaFile, "\(file.path) differs from the domain", at: nil,
                    hint: "run `streamplat schema --write` and commit it")
            }
            throw DiagnosticsError(diagnostics: diagnostics, exitCode: 1)
        }
        if global.output == .json { return show(files, written: [], obsolete: stale.obsolete) }
        global.say("all \(files.files.count) schema files are up to date")
    }

    private func show(_ files: SchemaFiles, written: [String], obsolete: [String]) {
        print(
            JSONValue.object([
                "files": .array(files.files.map { .string($0.path) }), "written": .array(written.map { .string($0) }),
                "obsolete": .array(obsolete.map { .string($0) }),
            ]).text())
    }
}
