import ArgumentParser
import Diagnostics
import PlatformModel
import PluginAPI
import ProjectConfig
import StreamplatKit
import TerminalViews

struct PluginsCommand: FormattedCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugins", abstract: "List the plugins, or show the options of one.")
    static let formats: [OutputFormat] = [.text, .json, .csv]

    @Argument(help: "A plugin's name.")
    var name: String?

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let all = PluginRegistry.builtin.all.map(\.spec)
        let shown = all.filter { name == nil || $0.name == name }
        if shown.isEmpty, let name {
            // One name may stand for plugins of several kinds.
            let names = Set(all.map(\.name)).sorted()
            throw DiagnosticsError(
                Diagnostic(
                    .pluginMissing, "there is no plugin '\(name)'",
                    hint: nearestName(to: name, among: names).map { "did you mean '\($0)'?" }
                        ?? "known: \(names.joined(separator: ", "))"))
        }
        switch global.output {
        case .json: print(JSONValue.array(shown.map(\.json)).text())
        case .csv: print(QueryText.csv(name == nil ? Self.list(shown) : Self.options(shown)), terminator: "")
        case .text where name == nil:
            for spec in shown { print("\(spec.kind.rawValue)  \(spec.name)  \(spec.summary)") }
        case .text: for spec in shown { print(spec.reference) }
        }
    }

    private static func list(_ specs: [PluginSpec]) -> QueryResult {
        QueryResult(
            columns: ["kind", "name", "summary"],
            rows: specs.map { [.text($0.kind.rawValue), .text($0.name), .text($0.summary)] })
    }

    /// A row for each option.
    private static func options(_ specs: [PluginSpec]) -> QueryResult {
        QueryResult(
            columns: ["kind", "name", "option", "type", "default", "required", "secret", "doc"],
            rows: specs.flatMap { spec in
                spec.options.map { option in
                    [
                        .text(spec.kind.rawValue), .text(spec.name), .text(option.key), .text(option.type.text),
                        option.defaultValue.map { .text($0) } ?? .null, .text("\(option.isRequired)"),
                        .text("\(option.isSecret)"), .text(option.doc),
                    ]
                }
            })
    }
}

extension PluginSpec {
    fileprivate var json: JSONValue {
        .object([
            "kind": .string(kind.rawValue), "name": .string(name), "summary": .string(summary),
            "options": .array(options.map(\.json)),
        ])
    }
}

extension OptionSpec {
    fileprivate var json: JSONValue {
        .object([
            "key": .string(key), "type": .string(type.text), "default": defaultValue.map { .string($0) } ?? .null,
            "required": .boolean(isRequired), "secret": .boolean(isSecret), "doc": .string(doc),
            "example": example.map { .string($0) } ?? .null,
        ])
    }
}
