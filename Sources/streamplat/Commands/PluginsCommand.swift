import ArgumentParser
import Diagnostics
import PluginAPI
import StreamplatKit

struct PluginsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugins", abstract: "List the plugins, or show the options of one.")

    @Argument(help: "A plugin's name.")
    var name: String?

    @OptionGroup var global: GlobalOptions

    func run() throws {
        Failure.configure(isJSON: global.output == .json, allowsColor: !global.noColor)
        let all = PluginRegistry.builtin.all.map(\.spec)
        guard let name else {
            for spec in all { print("\(spec.kind.rawValue)  \(spec.name)  \(spec.summary)") }
            return
        }
        let found = all.filter { $0.name == name }
        guard !found.isEmpty else {
            throw DiagnosticsError(
                Diagnostic(
                    .pluginMissing, "there is no plugin '\(name)'",
                    hint: nearestName(to: name, among: all.map(\.name)).map { "did you mean '\($0)'?" }
                        ?? "known: \(all.map(\.name).joined(separator: ", "))"))
        }
        for spec in found { print(spec.reference) }
    }
}
