import Foundation

/// What became of a child process, with all that it said.
struct Outcome: CustomStringConvertible {
    var command: String
    /// The exit code, or 128 + the signal's number.
    var code: Int32
    var output: String
    var errors: String
    var isTimedOut: Bool

    /// For failed expectations: the child's own words, shortened in the middle.
    var description: String {
        "\(command)\n→ \(isTimedOut ? "killed after its time limit" : "exit code \(code)")\n\(excerpt(output))\n\(excerpt(errors))"
    }

    private func excerpt(_ text: String) -> String {
        text.count <= 6000 ? text : "\(text.prefix(3000))\n…\n\(text.suffix(3000))"
    }
}

/// A child process whose output goes to files, so that no pipe can fill. One task owns it.
final class ChildProcess {
    private let process = Process()
    private let command: String
    private let outputFile: URL
    private let errorFile: URL

    init(_ program: String, _ arguments: [String], folder: URL, environment: [String: String] = [:]) throws {
        command = ([program] + arguments).joined(separator: " ")
        let name = UUID().uuidString
        outputFile = FileManager.default.temporaryDirectory.appendingPathComponent("\(name).out")
        errorFile = FileManager.default.temporaryDirectory.appendingPathComponent("\(name).err")
        for file in [outputFile, errorFile] { try Data().write(to: file) }
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        // What the developer's shell says of streamplat must not reach the tests.
        let inherited = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("STREAMPLAT_") }
        process.environment = inherited.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        // Foundation keeps what it is given for as long as the runner lives, and fails with more than a thousand open files.
        let handles = [try FileHandle(forWritingTo: outputFile), try FileHandle(forWritingTo: errorFile)]
        defer { for handle in handles { try? handle.close() } }
        process.standardOutput = handles[0]
        process.standardError = handles[1]
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        for file in [outputFile, errorFile] { try? FileManager.default.removeItem(at: file) }
    }

    var isRunning: Bool { process.isRunning }

    var processIdentifier: Int32 { process.processIdentifier }

    /// `host:port` of the monitoring endpoint that it says it serves; waits for it.
    func monitoringAddress() async throws -> String {
        for _ in 0..<600 {
            if let match = try errorsSoFar.firstMatch(of: /address=http:\/\/(127\.0\.0\.1:\d+)/) {
                return String(match.1)
            }
            guard isRunning else { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Prometheus.Failure(description: "no endpoint: \(try await wait(limit: .zero))")
    }

    /// What it has said on standard error so far.
    var errorsSoFar: String { get throws { try text(errorFile) } }

    /// Returns when it has said `text` on standard error, or has ended.
    func waitForErrors(_ text: String) async throws {
        while isRunning, try !errorsSoFar.contains(text) { try await Task.sleep(for: .milliseconds(5)) }
    }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits for its end; kills it after `limit`.
    func wait(limit: Duration) async throws -> Outcome {
        let deadline = ContinuousClock.now + limit
        var isTimedOut = false
        while process.isRunning {
            if ContinuousClock.now >= deadline, !isTimedOut {
                isTimedOut = true
                send(SIGKILL)
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        let status = process.terminationStatus
        return Outcome(
            command: command, code: process.terminationReason == .exit ? status : 128 + status,
            output: try text(outputFile), errors: try text(errorFile), isTimedOut: isTimedOut)
    }

    private func text(_ file: URL) throws -> String { String(decoding: try Data(contentsOf: file), as: UTF8.self) }
}
