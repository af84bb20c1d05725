import Diagnostics
import Foundation
import ProjectConfig

/// A project in a folder of its own, removed at the end.
final class TemporaryProject {
    let root: String

    init(_ files: [String: String]) throws {
        root =
            NSTemporaryDirectory().split(separator: "/").reduce("") { "\($0)/\($1)" } + "/project-\(UUID().uuidString)"
        for (name, text) in files { try write(name, text) }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func write(_ name: String, _ text: String, mode: Int = 0o600) throws {
        let path = "\(root)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    func load(
        _ request: ConfigurationLoader.Request = .init(), from folder: String = "", environment: [String: String] = [:]
    ) throws -> LoadedConfiguration {
        var sources = SourceTexts()
        return try loader(folder, environment).load(request, sources: &sources)
    }

    /// The rendered errors of a load that must fail, and its exit code.
    func failure(
        _ request: ConfigurationLoader.Request = .init(), from folder: String = "", environment: [String: String] = [:]
    ) -> (text: String, exitCode: Int32) {
        var sources = SourceTexts()
        do throws(DiagnosticsError) {
            _ = try loader(folder, environment).load(request, sources: &sources)
            return ("", 0)
        } catch {
            return (DiagnosticRenderer(sources: sources).text(error.diagnostics), error.exitCode)
        }
    }

    private func loader(_ folder: String, _ environment: [String: String]) -> ConfigurationLoader {
        ConfigurationLoader(workingDirectory: folder.isEmpty ? root : "\(root)/\(folder)") { environment[$0] }
    }
}
