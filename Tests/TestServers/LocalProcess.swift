public import Foundation

/// A process that was started for the tests, with its log in a file. It is stopped by its id when this program ends, at
/// the latest.
public final class LocalProcess: @unchecked Sendable {
    public let name: String
    private let process = Process()
    private let logFile: URL

    /// Starts `program`; what it says goes to `logFile`, appended.
    public init(
        _ name: String, _ program: String, _ arguments: [String], environment: [String: String] = [:],
        folder: URL? = nil, logFile: URL
    ) throws {
        self.name = name
        self.logFile = logFile
        if !FileManager.default.fileExists(atPath: logFile.path) { try Data().write(to: logFile) }
        let log = try FileHandle(forWritingTo: logFile)
        try log.seekToEnd()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = log
        process.standardError = log
        process.standardInput = FileHandle.nullDevice
        try process.run()
        StartedProcesses.shared.add(process.processIdentifier)
    }

    public var identifier: Int32 { process.processIdentifier }
    public var isRunning: Bool { process.isRunning }
    public var log: String { (try? String(contentsOf: logFile, encoding: .utf8)) ?? "" }

    /// Sends the signal and waits for the end; after 20 seconds the process is killed.
    public func stop(signal: Int32 = SIGTERM) {
        guard process.isRunning else { return }
        kill(identifier, signal)
        let end = Date(timeIntervalSinceNow: 20)
        while process.isRunning, Date() < end { usleep(10_000) }
        if process.isRunning { kill(identifier, SIGKILL) }
        process.waitUntilExit()
        StartedProcesses.shared.remove(identifier)
    }
}

/// The processes that run, so that none outlives the tests.
private final class StartedProcesses: @unchecked Sendable {
    static let shared = StartedProcesses()

    private let lock = NSLock()
    private var identifiers: Set<Int32> = []

    private init() {
        atexit { for identifier in StartedProcesses.shared.all { kill(identifier, SIGTERM) } }
    }

    private var all: Set<Int32> { lock.withLock { identifiers } }
    func add(_ identifier: Int32) { lock.withLock { _ = identifiers.insert(identifier) } }
    func remove(_ identifier: Int32) { lock.withLock { _ = identifiers.remove(identifier) } }
}
