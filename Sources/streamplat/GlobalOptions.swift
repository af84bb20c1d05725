import ArgumentParser
import Diagnostics
import PlatformModel
import PluginAPI
import ProjectConfig
import StreamplatKit

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json, csv
}

/// Options of every command.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: [.customShort("e"), .long],
        help: "The environment; else the variable STREAMPLAT_ENVIRONMENT, else local.")
    var environment: String?

    @Option(name: .long, help: "Override a configuration key: a.b.c=value. Repeatable; the last word.")
    var set: [String] = []

    @Option(name: .long, help: "How results and findings are printed: text, json or, for rows, csv.")
    var output: OutputFormat = .text

    @Flag(name: .long, help: "Print only results and errors.")
    var quiet = false

    @Option(
        name: .customLong("log-level"),
        help: "The lowest level that is logged; else monitoring.log.level, with --quiet error.")
    var logLevel: Log.Level?

    @Flag(name: .customLong("no-color"), help: "No colours, even on a terminal.")
    var noColor = false

    /// Loads the project, shows warnings, and remembers the sources for excerpts.
    func load(domain: String?, needsDomain: Bool = true) throws -> Project {
        var sources = SourceTexts()
        defer { Failure.setSources(sources) }
        do {
            let project = try Project.load(
                request(domain: domain, needsDomain: needsDomain), plugins: .builtin, sources: &sources)
            Failure.setSources(sources)
            Log.configure(project.platform.monitoring, level: logThreshold)
            ConfigurationLog.write(project)
            if !quiet { Failure.report(project.warnings) }
            return project
        } catch {
            Failure.setSources(sources)
            throw error
        }
    }

    /// What to load.
    func request(domain: String?, needsDomain: Bool = true) -> ConfigurationLoader.Request {
        ConfigurationLoader.Request(domain: domain, environment: environment, overrides: set, needsDomain: needsDomain)
    }

    /// Loads the project and opens its broker.
    func open(domain name: String?, _ access: PluginContext.Access = .change) throws -> LiveSystem {
        let project = try load(domain: name)
        return try LiveSystem(project, domain: try project.requireDomain(), access: access, notify: notify)
    }

    /// Says what a person should know and what is no error.
    var notify: @Sendable (String) -> Void { { Log.write(.warning, $0) } }

    /// What the command line says about the log; nil = nothing.
    var logThreshold: Log.Level? { logLevel ?? (quiet ? .error : nil) }

    func say(_ text: String) {
        if quiet { return }
        // Beside results in another format prose does not belong on standard output.
        if output == .text { print(text) } else { Failure.print(text) }
    }
}

/// The domain of a command: an argument, or `--domain`.
struct DomainArgument: ParsableArguments {
    @Argument(help: "The domain: its name or the path of its file; else default_domain.")
    var domainArgument: String?

    @Option(name: .customLong("domain"), help: "The same as the argument.")
    var domainOption: String?

    var name: String? { domainArgument ?? domainOption }

    func validate() throws {
        if domainArgument != nil, domainOption != nil {
            throw ValidationError("The domain is given twice, as an argument and as --domain.")
        }
    }
}

extension Project {
    func requireDomain() throws -> DomainDefinition {
        guard let domain else {
            throw DiagnosticsError(
                Diagnostic(
                    .missingKey, "no domain was named and default_domain is not set",
                    hint: "name one: streamplat … DOMAIN"))
        }
        return domain
    }
}
