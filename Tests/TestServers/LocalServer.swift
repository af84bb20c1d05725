public import Foundation

/// What the servers of the tests share: free ports, folders, processes that are stopped by their id.
public enum LocalServer {
    public struct Failure: Error, CustomStringConvertible {
        public var description: String

        public init(_ description: String) { self.description = description }
    }

    /// With `CI=true` a missing server fails the tests that need it, instead of skipping them.
    public static let isRequired = ProcessInfo.processInfo.environment["CI"].map { !$0.isEmpty } ?? false

    /// The program of that name: the environment variable's path, else found on PATH or in one of `folders`.
    public static func program(_ name: String, variable: String? = nil, folders: [String] = []) -> String? {
        let environment = ProcessInfo.processInfo.environment
        if let variable, let path = environment[variable], !path.isEmpty { return path }
        return ((environment["PATH"] ?? "").split(separator: ":").map(String.init) + folders)
            .map { "\($0)/\(name)" }.first(where: FileManager.default.isExecutableFile)
    }

    /// A new folder for temporary files, which everybody may enter; it is removed when this program ends.
    public static func temporaryFolder(_ name: String) throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "\(name)-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        AtExit.shared.add(folder)
        return folder
    }

    /// Runs a program to its end and gives its output; throws with its last words when it fails.
    @discardableResult
    public static func run(
        _ program: String, _ arguments: [String], in folder: URL? = nil, environment: [String: String] = [:]
    ) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        if !environment.isEmpty {
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        }
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure("\(program) ended with \(process.terminationStatus): \(text.suffix(800))")
        }
        return text
    }

    /// Returns when `isReady` is true; throws after `seconds`, or at once when the process has ended.
    public static func wait(
        for process: LocalProcess, seconds: Double = 30, until isReady: () -> Bool
    ) throws {
        let end = Date(timeIntervalSinceNow: seconds)
        while !isReady() {
            guard process.isRunning else { throw Failure("\(process.name) ended: \(process.log.suffix(800))") }
            guard Date() < end else { throw Failure("\(process.name) is not ready: \(process.log.suffix(800))") }
            usleep(20_000)
        }
    }
}
