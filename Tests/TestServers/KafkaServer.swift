public import Foundation

/// A server of Kafka's protocol (noida-db, from PyPI) in a temporary folder, on a free port of the loopback interface.
///
/// It is an emulator, not Apache Kafka: see docs/tested-against.md. It keeps its data over ``stop()`` and ``start()``.
public final class KafkaServer: @unchecked Sendable {
    public let port: Int
    public let folder: URL
    private var process: LocalProcess?

    public var address: String { "127.0.0.1:\(port)" }

    /// The Python whose environment holds noida-db and confluent-kafka.
    public static let python = LocalServer.program("python3", variable: "STREAMPLAT_PYTHON")

    private static let program: String? = {
        guard let python else { return nil }
        let folder = URL(fileURLWithPath: python).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("lib")
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return versions.map { folder.appendingPathComponent("\($0)/site-packages/noida_db/noida-db").path }
            .first(where: FileManager.default.fileExists)
    }()

    /// Makes, writes, reads and configures topics as another team's program would.
    public static let topicScript = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Scripts/kafka_topics.py")

    /// Why no server can be started here; nil when one can.
    public static let problem: String? = {
        if python == nil { return "no python3: run scripts/test-env.sh and set STREAMPLAT_PYTHON=.venv/bin/python" }
        if program == nil { return "no noida-db beside the Python of STREAMPLAT_PYTHON: run scripts/test-env.sh" }
        return nil
    }()

    /// Makes the folder and starts the server.
    public init() throws {
        if let problem = Self.problem { throw LocalServer.Failure(problem) }
        folder = try LocalServer.temporaryFolder("kafka")
        port = try LocalServer.freePort()
        try start()
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Starts the server and waits until it takes connections.
    public func start() throws {
        guard let program = Self.program else { throw LocalServer.Failure("no noida-db") }
        // The wheel does not mark it as a program.
        if !FileManager.default.isExecutableFile(atPath: program) {
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        }
        let started = try LocalProcess(
            "noida-db", program,
            ["start", "--only", "kafka", "--data-dir", "\(folder.path)/data", "--kafka-port", "\(port)"],
            folder: folder, logFile: folder.appendingPathComponent("server.log"))
        process = started
        try LocalServer.wait(for: started) { LocalServer.accepts(port: port) }
    }

    /// Stops the server, which saves its data.
    public func stop() {
        process?.stop()
        process = nil
    }

    /// The server takes connections and answers nothing until ``resume()``. Returns when all its threads stand still.
    public func pause() throws {
        guard let process else { return }
        kill(process.identifier, SIGSTOP)
        let tasks = "/proc/\(process.identifier)/task"
        for _ in 0..<5000 {
            let states = try FileManager.default.contentsOfDirectory(atPath: tasks).map { task in
                // The state stands behind the name, which is in brackets.
                (try? String(contentsOfFile: "\(tasks)/\(task)/stat", encoding: .utf8))?
                    .split(separator: ")").last?.split(separator: " ").first
            }
            if states.allSatisfy({ $0 == "T" || $0 == nil }) { return }
            usleep(1000)
        }
        throw LocalServer.Failure("the threads of noida-db did not stop")
    }
    public func resume() { process.map { _ = kill($0.identifier, SIGCONT) } }

    /// Runs a script of the tests with confluent-kafka at hand; gives what it printed.
    @discardableResult
    public func python(_ script: URL, _ arguments: [String]) throws -> String {
        guard let python = Self.python else { throw LocalServer.Failure("no python3") }
        return try LocalServer.run(python, [script.path, address] + arguments)
    }
}
