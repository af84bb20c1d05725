public import Foundation

/// A process that was started for the tests, with its log in a file. It is stopped by its id when the value goes away, and
/// when this program ends, at the latest.
///
/// Not Foundation's Process: that learns of an end by a socket that the child inherits, and waits for the child as soon as
/// the socket closes. A server that closes descriptors it does not know (clickhouse-server does) would block it for good,
/// with every other process of this program.
public final class LocalProcess: @unchecked Sendable {
    public let name: String
    public let identifier: Int32
    private let logFile: URL
    fileprivate let stopSignal: Int32
    private let lock = NSLock()
    private var hasEnded = false

    /// Starts `program`; what it says goes to `logFile`, appended. `stopSignal` is how it is asked to end.
    public init(
        _ name: String, _ program: String, _ arguments: [String], environment: [String: String] = [:],
        folder: URL? = nil, logFile: URL, stopSignal: Int32 = SIGTERM
    ) throws {
        self.name = name
        self.stopSignal = stopSignal
        self.logFile = logFile
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, logFile.path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // The threads of Swift's concurrency block most signals, and a child inherits that: it could not be asked to end.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
        // Descriptors of this program, such as a lock of its parent, must not live on in a server: bash closes them, and
        // then becomes the program, with the same id.
        let preparation = """
            cd "$1" && shift || exit 127
            for open in /proc/$$/fd/*; do (( ${open##*/} > 2 )) && eval "exec ${open##*/}>&-"; done
            exec "$@"
            """
        let place = folder?.path ?? FileManager.default.currentDirectoryPath
        let words = (["bash", "-c", preparation, "bash", place, program] + arguments).map { strdup($0) } + [nil]
        let settings = variables.map { strdup($0) } + [nil]
        defer { for text in words + settings { free(text) } }
        var started: pid_t = 0
        let code = posix_spawn(&started, "/bin/bash", &actions, &attributes, words, settings)
        guard code == 0 else {
            throw LocalServer.Failure("cannot start \(program): \(String(cString: strerror(code)))")
        }
        identifier = started
        AtExit.shared.add(self)
    }

    deinit { stop() }

    public var isRunning: Bool {
        lock.withLock {
            if hasEnded { return false }
            var status: Int32 = 0
            if waitpid(identifier, &status, WNOHANG) == 0 { return true }
            hasEnded = true
            return false
        }
    }

    public var log: String { (try? String(contentsOf: logFile, encoding: .utf8)) ?? "" }

    /// Asks the process to end, by `signal` or its own, and waits; after 20 seconds it is killed.
    public func stop(signal: Int32? = nil) {
        defer { AtExit.shared.remove(identifier) }
        guard isRunning else { return }
        kill(identifier, signal ?? stopSignal)
        let end = Date(timeIntervalSinceNow: 20)
        while isRunning, Date() < end { usleep(5_000) }
        guard isRunning else { return }
        kill(identifier, SIGKILL)
        while isRunning { usleep(5_000) }
    }
}

/// What must not outlive the tests: processes, and folders after them.
final class AtExit: @unchecked Sendable {
    static let shared = AtExit()

    private let lock = NSLock()
    private var stopSignals: [Int32: Int32] = [:]
    private var folders: [URL] = []

    private init() { atexit { AtExit.shared.run() } }

    func add(_ process: LocalProcess) { lock.withLock { stopSignals[process.identifier] = process.stopSignal } }
    func remove(_ identifier: Int32) { lock.withLock { _ = stopSignals.removeValue(forKey: identifier) } }
    func add(_ folder: URL) { lock.withLock { folders.append(folder) } }

    /// At the end of this program nothing may wait long.
    private func run() {
        let (stopSignals, folders) = lock.withLock { (self.stopSignals, self.folders) }
        for (identifier, signal) in stopSignals {
            kill(identifier, signal)
            for _ in 0..<300 where waitpid(identifier, nil, WNOHANG) == 0 { usleep(10_000) }
            if kill(identifier, 0) == 0 { kill(identifier, SIGKILL) }
        }
        for folder in folders { try? FileManager.default.removeItem(at: folder) }
    }
}
