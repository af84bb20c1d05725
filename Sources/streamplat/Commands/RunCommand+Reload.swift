import Diagnostics
import Foundation
import PlatformModel
import ProjectConfig
import StreamplatKit
import TerminalViews

/// How a run's configuration is loaded again, and what is said about it.
extension RunCommand {
    /// Loads the configuration as it was loaded at the start. What was read is remembered for excerpts, nothing is said.
    static func loading(_ request: ConfigurationLoader.Request) -> @Sendable () throws -> Project {
        // Where the command was started.
        let folder = FileManager.default.currentDirectoryPath
        return {
            var sources = SourceTexts()
            defer { Failure.setSources(sources) }
            return try Project.load(
                request, plugins: .builtin, sources: &sources, loader: ConfigurationLoader(workingDirectory: folder))
        }
    }

    /// What a person is told of a reload; the log has a line about it already.
    static func telling(_ global: GlobalOptions) -> @Sendable (ReloadEvent) -> Void {
        let level = global.logThreshold
        return { event in
            switch event {
            case .invalid(let error): Failure.report(error)
            case .unchanged: break
            case .refused(let error), .failed(let error): Failure.report(error)
            case .adopted(_, let settings, _): Log.configure(settings.monitoring, level: level)
            }
        }
    }
}
