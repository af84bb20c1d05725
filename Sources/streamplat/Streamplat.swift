import ArgumentParser
import Diagnostics
import Glibc
import StreamplatKit

/// The command line. Exit codes: 0 fine; 1 the operation failed; 2 wrong use or invalid configuration; 3 a file or server
/// that is needed is not there.
@main
struct Streamplat: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "streamplat",
        abstract:
            "One YAML file becomes schemas, topics, synthetic events, windowed aggregations, tables and a running pipeline.",
        discussion: """
            A first run, with nothing else installed:
              streamplat apply domains/ecommerce.yaml
              streamplat generate --events 100000 --span 2h
              streamplat run --until-idle
              streamplat query
            """,
        version: Version.current,
        groupedSubcommands: [
            CommandGroup(
                name: "Describe and check:",
                subcommands: [ValidateCommand.self, SchemaCommand.self, ConfigCommand.self, PluginsCommand.self]),
            CommandGroup(
                name: "Make it so:", subcommands: [HealthCommand.self, PlanCommand.self, ApplyCommand.self]),
            CommandGroup(name: "Serve:", subcommands: [RegistryCommand.self]),
            CommandGroup(name: "Events:", subcommands: [GenerateCommand.self, IngestCommand.self]),
            CommandGroup(name: "Results:", subcommands: [RunCommand.self, QueryCommand.self, DeadLetterCommand.self]),
        ])

    static func main() {
        // A closed pipe is an error of the write, not a signal.
        signal(SIGPIPE, SIG_IGN)
        // A file-size limit too: the write fails with a message instead.
        signal(SIGXFSZ, SIG_IGN)
        Log.start()
        do {
            var command = try parseAsRoot()
            if let formatted = command as? any FormattedCommand { try formatted.checkFormat() }
            try command.run()
        } catch let error as DiagnosticsError {
            Failure.report(error)
            Glibc.exit(error.exitCode)
        } catch let error as PipelineError {
            Failure.report(error)
            Glibc.exit(error.exitCode)
        } catch let code as ExitCode {
            Glibc.exit(code.rawValue)
        } catch {
            // The argument parser's own: help and version are no errors; wrong use is 2.
            let isUsage = exitCode(for: error) == .validationFailure
            if exitCode(for: error) == .success {
                print(fullMessage(for: error))
                Glibc.exit(0)
            }
            if Self.wantsJSON {
                Failure.configure(isJSON: true, allowsColor: false)
                Failure.report(DiagnosticsError(Diagnostic(.wrongUse, message(for: error), hint: usage(for: error))))
            } else {
                Failure.print(fullMessage(for: error))
            }
            Glibc.exit(isUsage ? 2 : 1)
        }
    }

    /// Whether the command line asks for JSON, also where it was not understood.
    private static var wantsJSON: Bool {
        let arguments = CommandLine.arguments
        return arguments.contains("--output=json")
            || zip(arguments, arguments.dropFirst()).contains { $0 == "--output" && $1 == "json" }
    }

    /// The line that says how the command is used.
    private static func usage(for error: any Error) -> String? {
        fullMessage(for: error).split(separator: "\n").first { $0.hasPrefix("Usage: ") }.map(String.init)
    }
}
