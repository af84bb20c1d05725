public import Foundation

/// A process that was started for the tests, with its log in a file. It is stopped by its id when this program ends, at
/// the latest.
public final class LocalProcess: @unchecked Sendable {
    public let name: String
    private let process = Process()
    private let logFile: URL
    private let stopSignal: Int32

    /// Starts `program`; what it says goes to `logFile`, appended. `stopSignal` is how it is asked to end.
    public init(
        _ name: String, _ program: String, _ arguments: [String], environment: [String: String] = [:],
        folder: URL? = nil, logFile: URL, stopSignal: Int32 = SIGTERM
    ) throws {
        self.name = name
        self.stopSignal = stopSignal
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
        AtExit.shared.add(self)
    }

    deinit { stop() }

    public var identifier: Int32 { process.processIdentifier }
    public var isRunning: Bool { process.isRunning }
    public var log: String { (try? String(contentsOf: logFile, encoding: .utf8)) ?? "" }

    /// Asks the process to end, by `signal` or its own, and waits; after 20 seconds it is killed.
    public func stop(signal: Int32? = nil) {
        defer { AtExit.shared.remove(self) }
        guard process.isRunning else { return }
        kill(identifier, signal ?? stopSignal)
        let end = Date(timeIntervalSinceNow: 20)
        while process.isRunning, Date() < end { usleep(10_000) }
        if process.isRunning { kill(identifier, SIGKILL) }
        process.waitUntilExit()
    }

    /// At the end of this program: nothing may wait long.
    fileprivate static func end(_ identifier: Int32, signal: Int32) {
        kill(identifier, signal)
        for _ in 0..<300 where kill(identifier, 0) == 0 {
            // Nobody else collects it any more.
            waitpid(identifier, nil, WNOHANG)
            usleep(10_000)
        }
        if kill(identifier, 0) == 0 { kill(identifier, SIGKILL) }
    }

    fileprivate var ending: (identifier: Int32, signal: Int32) { (identifier, stopSignal) }
}

/// What must not outlive the tests: processes, and folders after them.
final class AtExit: @unchecked Sendable {
    static let shared = AtExit()

    private let lock = NSLock()
    private var processes: [ObjectIdentifier: (identifier: Int32, signal: Int32)] = [:]
    private var folders: [URL] = []

    private init() {
        atexit { AtExit.shared.run() }
    }

    func add(_ process: LocalProcess) { lock.withLock { processes[ObjectIdentifier(process)] = process.ending } }
    func remove(_ process: LocalProcess) {
        lock.withLock { _ = processes.removeValue(forKey: ObjectIdentifier(process)) }
    }
    func add(_ folder: URL) { lock.withLock { folders.append(folder) } }

    private func run() {
        let (processes, folders) = lock.withLock { (self.processes, self.folders) }
        for process in processes.values { LocalProcess.end(process.identifier, signal: process.signal) }
        for folder in folders { try? FileManager.default.removeItem(at: folder) }
    }
}
