import Foundation
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A real Prometheus that scrapes one endpoint once a second. Stopped with the value.
final class Prometheus {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Debian's packages, or what the search path has; nil when there is none.
    static func program(_ name: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":").map { "\($0)/\(name)" }
            .first(where: FileManager.default.isExecutableFile)
    }

    static let isThere = program("prometheus") != nil && program("promtool") != nil
    static let reason: Comment = "prometheus and promtool (package prometheus) are needed"

    private let child: ChildProcess
    private let address: String

    /// - Parameter target: `host:port` of the endpoint.
    init(scraping target: String, folder: URL) async throws {
        guard let program = Self.program("prometheus") else { throw Failure(description: "no prometheus") }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("prometheus.yml")
        try """
        global: { scrape_interval: 1s, scrape_timeout: 1s }
        scrape_configs:
          - job_name: streamplat
            static_configs: [{ targets: ["\(target)"] }]

        """.write(to: file, atomically: true, encoding: .utf8)
        address = "127.0.0.1:\(try Self.freePort())"
        child = try ChildProcess(
            program,
            [
                "--config.file=\(file.path)", "--storage.tsdb.path=\(folder.path)/tsdb",
                "--web.listen-address=\(address)",
            ], folder: folder)
        for _ in 0..<300 where try await HTTP.get("http://\(address)/-/ready")?.status != 200 {
            guard child.isRunning else { throw Failure(description: try child.errorsSoFar) }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    deinit { child.send(SIGTERM) }

    /// The value of an expression that gives one number; nil when it gives none.
    func value(_ expression: String) async throws -> Double? {
        var address = URLComponents(string: "http://\(address)/api/v1/query")
        address?.queryItems = [URLQueryItem(name: "query", value: expression)]
        // A plus is a blank in a query, and URLComponents leaves it.
        let text = (address?.string ?? "").replacingOccurrences(of: "+", with: "%2B")
        let answer = try #require(try await HTTP.get(text))
        let object = try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any]
        let result = (object?["data"] as? [String: Any])?["result"] as? [[String: Any]]
        let sample = try #require(result, "\(answer.body)").first?["value"] as? [Any]
        return (sample?.last as? String).flatMap(Double.init)
    }

    /// A port that is free now.
    static func freePort() throws -> Int { try occupiedPort().port }

    /// A port that nobody else can take while the descriptor is open.
    static func occupiedPort() throws -> (port: Int, socket: FileHandle) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 1) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw Failure(description: "no free port: \(String(cString: strerror(errno)))") }
        return (Int(UInt16(bigEndian: address.sin_port)), FileHandle(fileDescriptor: descriptor, closeOnDealloc: true))
    }
}

enum HTTP {
    /// Status and body; nil when nobody answers.
    static func get(_ address: String) async throws -> (status: Int, body: String)? {
        guard let url = URL(string: address) else { throw Prometheus.Failure(description: "no address: \(address)") }
        do {
            let (data, response) = try await URLSession.shared.data(from: url)
            return ((response as? HTTPURLResponse)?.statusCode ?? 0, String(decoding: data, as: UTF8.self))
        } catch let error as URLError
            where [.cannotConnectToHost, .networkConnectionLost, .timedOut].contains(error.code)
        {
            return nil
        }
    }
}
