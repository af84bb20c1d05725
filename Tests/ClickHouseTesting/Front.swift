internal import Foundation
internal import TestServers

/// The front of `front.py`: disturbs what passes between a sink and a server.
package final class Front {
    private let folder: URL
    private let process: LocalProcess
    package let url: String

    package init(beforePort serverPort: Int) throws {
        folder = try LocalServer.temporaryFolder("front")
        let port = try LocalServer.freePort()
        url = "http://127.0.0.1:\(port)"
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Scripts/front.py").path
        let python = LocalServer.program("python3", variable: "STREAMPLAT_PYTHON") ?? "python3"
        process = try LocalProcess(
            "front.py", python, [script, "\(port)", "\(serverPort)", folder.path],
            logFile: folder.appendingPathComponent("log"))
        try LocalServer.wait(for: process) { LocalServer.accepts(port: port) }
    }

    deinit {
        process.stop()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Treats the next `count` requests so.
    package func disturb(_ mode: String, requests count: Int = 1) throws {
        try Data("\(mode) \(count)".utf8).write(to: folder.appendingPathComponent("mode"))
    }

    /// Requests that came whole: their first lines, headers and lengths.
    package var requests: String {
        (try? String(contentsOf: folder.appendingPathComponent("requests"), encoding: .utf8)) ?? ""
    }
}
