import Foundation
import Testing

/// `Fixtures/server.py` with certificates of its own, started once for the whole test process and ended with it: the
/// server stops when its input does.
struct TestServer: Sendable {
    struct Missing: Error, CustomStringConvertible {
        var description: String
    }

    let plain: String
    let secure: String
    /// Signed the server's certificate, which names `localhost` and no other host.
    let authorityFile: String
    /// Signed nothing that the server shows.
    let otherAuthorityFile: String
    let folder: URL

    private static let started = Result { try TestServer() }
    private static let environment = ProcessInfo.processInfo.environment

    static var shared: TestServer { get throws { try started.get() } }

    /// Why there is no server; nil when there is one.
    static var problem: String? {
        do { _ = try shared } catch { return "\(error)" }
        return nil
    }
    static var isRunning: Bool { problem == nil || environment["CI"] != nil }
    static var reason: Comment { Comment(rawValue: problem ?? "the server is there") }

    private init() throws {
        let python = try Self.find(Self.environment["STREAMPLAT_PYTHON"] ?? "python3")
        let openssl = try Self.find("openssl")
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("streamplat-http-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = { [folder] (name: String) in folder.appendingPathComponent(name).path }
        authorityFile = file("ca.pem")
        otherAuthorityFile = file("other.pem")
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        for (name, subject) in [("ca", "/CN=right"), ("other", "/CN=wrong")] {
            try Self.run(
                openssl,
                [
                    "req", "-x509", "-days", "2", "-subj", subject, "-keyout", file("\(name).key"), "-out",
                    file("\(name).pem"),
                ]
                    + key)
        }
        try "subjectAltName=DNS:localhost".write(toFile: file("san"), atomically: true, encoding: .utf8)
        try Self.run(openssl, ["req", "-subj", "/CN=localhost", "-keyout", file("s.key"), "-out", file("s.csr")] + key)
        try Self.run(
            openssl,
            [
                "x509", "-req", "-days", "2", "-in", file("s.csr"), "-CA", file("ca.pem"), "-CAkey", file("ca.key"),
                "-set_serial", "1", "-extfile", file("san"), "-out", file("s.pem"),
            ])
        let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "Fixtures/server.py")
        let output = Pipe()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = [fixture.path, file("s.pem"), file("s.key")]
        process.standardOutput = output
        let input = Pipe()
        process.standardInput = input
        try process.run()
        // Its writing end stays open until this process ends, however it ends.
        _ = dup(input.fileHandleForWriting.fileDescriptor)
        // A pipe may give a line in parts.
        var line = ""
        while !line.hasSuffix("\n") {
            let part = output.fileHandleForReading.availableData
            if part.isEmpty { break }
            line += String(decoding: part, as: UTF8.self)
        }
        let ports = line.split { $0 == " " || $0 == "\n" }
        guard ports.count == 2 else { throw Missing(description: "the test server did not start: \(line)") }
        plain = "http://127.0.0.1:\(ports[0])"
        secure = "https://localhost:\(ports[1])"
    }

    private static func find(_ program: String) throws -> String {
        let candidates =
            program.contains("/")
            ? [program] : (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(program)" }
        guard let found = candidates.first(where: FileManager.default.isExecutableFile) else {
            throw Missing(description: "no \(program) on PATH")
        }
        return found
    }

    private static func run(_ program: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Missing(description: "\(program) \(arguments) failed") }
    }
}

/// A port on which nobody listens: it was free a moment ago.
func closedPort() -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            guard bind(descriptor, $0, length) == 0, getsockname(descriptor, $0, &length) == 0 else { return 1 }
            return Int(UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr_in.self).pointee.sin_port.bigEndian)
        }
    }
}
