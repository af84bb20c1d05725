import Foundation
import Testing

/// A project folder of one test's own: copies of the repository's configuration and domains. Removed with the value.
final class TestProject {
    let folder: URL

    /// - Parameter isOpen: Whether other users may enter it.
    init(isOpen: Bool = false) throws {
        try Requirements.check()
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("streamplat-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for part in ["config", "environments", "domains"] {
            try FileManager.default.copyItem(
                at: Requirements.packageRoot.appendingPathComponent(part), to: folder.appendingPathComponent(part))
        }
        if isOpen { try setMode(0o777, ".") }
    }

    /// A copy of another project with its log, checkpoints and results.
    init(copying other: TestProject) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("streamplat-test-\(UUID().uuidString)")
        try FileManager.default.copyItem(at: other.folder, to: folder)
    }

    deinit {
        if ProcessInfo.processInfo.environment["STREAMPLAT_TEST_KEEP"] == nil {
            try? FileManager.default.removeItem(at: folder)
        }
    }

    // MARK: Files

    func path(_ relative: String) -> String { folder.appendingPathComponent(relative).path }

    func write(_ text: String, to relative: String) throws { try write(Data(text.utf8), to: relative) }

    func write(_ bytes: Data, to relative: String) throws {
        let file = folder.appendingPathComponent(relative)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try bytes.write(to: file)
    }

    func read(_ relative: String) throws -> Data { try Data(contentsOf: folder.appendingPathComponent(relative)) }

    /// Replaces the only occurrence of a text in a file.
    func edit(_ relative: String, _ old: String, _ new: String, sourceLocation: SourceLocation = #_sourceLocation)
        throws
    {
        let text = String(decoding: try read(relative), as: UTF8.self)
        try #require(
            text.components(separatedBy: old).count == 2, "\(relative) holds '\(old)' once",
            sourceLocation: sourceLocation)
        try write(text.replacingOccurrences(of: old, with: new), to: relative)
    }

    func setMode(_ mode: Int, _ relative: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path(relative))
    }

    /// The files under a folder, by their relative paths, sorted.
    func files(_ relative: String, suffix: String = "") -> [String] {
        let found = FileManager.default.enumerator(atPath: path(relative))?.allObjects as? [String] ?? []
        return found.filter { name in
            var isFolder: ObjCBool = false
            return name.hasSuffix(suffix)
                && FileManager.default.fileExists(atPath: path("\(relative)/\(name)"), isDirectory: &isFolder)
                && !isFolder.boolValue
        }.sorted()
    }

    // MARK: Commands

    func start(_ arguments: [String], environment: [String: String] = [:]) throws -> ChildProcess {
        try ChildProcess(Requirements.binary, arguments, folder: folder, environment: environment)
    }

    /// Runs streamplat and requires its exit code.
    @discardableResult
    func streamplat(
        _ arguments: String..., exit code: Int32 = 0, settings: [String] = [], environment: [String: String] = [:],
        limit: Duration = .seconds(300), sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Outcome {
        let child = try start(arguments + settings.flatMap { ["--set", $0] }, environment: environment)
        let outcome = try await child.wait(limit: limit)
        try #require(outcome.code == code && !outcome.isTimedOut, "\(outcome)", sourceLocation: sourceLocation)
        return outcome
    }

    /// Runs a line of sh in which `"$0" "$@"` is streamplat with its arguments.
    func shell(_ line: String, _ arguments: [String], limit: Duration = .seconds(300)) async throws -> Outcome {
        try await ChildProcess("/bin/sh", ["-c", line, Requirements.binary] + arguments, folder: folder).wait(
            limit: limit)
    }

    func python(
        _ script: String, _ arguments: [String], environment: [String: String] = [:], limit: Duration = .seconds(300)
    ) async throws -> Outcome {
        let python = try #require(Requirements.python)
        return try await ChildProcess(
            python, [Requirements.scripts.appendingPathComponent(script).path] + arguments, folder: folder,
            environment: environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
        ).wait(limit: limit)
    }

    /// DuckDB's answers must be the tables' rows, each and every one.
    func judge(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let verdict = try await python("judge.py", arguments)
        #expect(verdict.code == 0, "\(verdict)", sourceLocation: sourceLocation)
    }

    /// All result tables as text.
    func dump(_ database: String = ".streamplat/results.db") async throws -> String {
        let outcome = try await python("dump.py", [database])
        try #require(outcome.code == 0, "\(outcome)")
        return outcome.output
    }

    /// The path of a real data set inside its Python package.
    func dataSet(_ name: String) async throws -> String {
        let outcome = try await python("judge.py", ["locate", name])
        try #require(outcome.code == 0, "\(outcome)")
        return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
