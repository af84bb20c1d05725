import ArgumentParser
import ConfigTree
import Diagnostics
import PluginAPI
import ProjectConfig
import StreamplatKit

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Look at the merged configuration.", subcommands: [Show.self, Explain.self])

    /// The merged tree with its variables as they were written; nothing has to be valid or resolvable.
    fileprivate static func load(_ global: GlobalOptions, domain: String?) throws -> LoadedConfiguration {
        var sources = SourceTexts()
        defer { Failure.setSources(sources) }
        return try ConfigurationLoader().load(
            ConfigurationLoader.Request(
                domain: domain, environment: global.environment, overrides: global.set, needsDomain: false),
            sources: &sources)
    }

    /// Hides the options that plugins declare as secret, even when they are written in plain text.
    static var printer: ConfigPrinter {
        let secretKeys = Set(
            PluginRegistry.builtin.all.flatMap { plugin in
                plugin.spec.options.filter(\.isSecret).map { [plugin.spec.name, $0.key] }
            })
        return ConfigPrinter { path in secretKeys.contains(Array(path.segments.suffix(2))) }
    }

    struct Show: FormattedCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the merged configuration, as YAML or JSON; secrets as ***.")
        static let formats: [OutputFormat] = [.text, .json]

        @OptionGroup var domain: DomainArgument
        @OptionGroup var global: GlobalOptions

        func run() throws {
            let loaded = try ConfigCommand.load(global, domain: domain.name)
            if global.output == .json {
                print(ConfigCommand.printer.json(loaded.tree).text())
            } else {
                print(ConfigCommand.printer.yaml(loaded.tree), terminator: "")
            }
        }
    }

    struct Explain: FormattedCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the value of a key and every layer that set it.")
        static let formats: [OutputFormat] = [.text, .json]

        @Argument(help: "A dotted key, such as sinks.primary.type.")
        var key: String

        @Option(name: .long, help: "The domain: its name or the path of its file; else default_domain.")
        var domain: String?

        @OptionGroup var global: GlobalOptions

        func run() throws {
            let loaded = try ConfigCommand.load(global, domain: domain)
            let explanation = try ConfigExplanation(key, in: loaded, printer: ConfigCommand.printer)
            print(global.output == .json ? explanation.json.text() : explanation.text)
        }
    }
}
