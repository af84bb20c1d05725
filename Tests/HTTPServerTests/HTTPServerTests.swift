import Diagnostics
import Foundation
import Glibc
import HTTPServer
import Synchronization
import Testing

@Suite("HTTP server")
struct HTTPServerTests {
    /// Blocking, on a thread of its own, as the server asks for.
    private func withServer<Result: Sendable>(
        _ options: HTTPServerOptions = HTTPServerOptions(),
        handler: @escaping @Sendable (HTTPServerRequest) -> HTTPServerResponse = { request in
            HTTPServerResponse(
                contentType: "text/plain",
                text: "\(request.method) \(request.path) \(request.query.map { "\($0.name)=\($0.value)" }) "
                    + "\(request.header("x-test") ?? "-") \(String(decoding: request.body, as: UTF8.self))")
        },
        _ body: @escaping @Sendable (Int, HTTPServer) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { done in
            Thread {
                done.resume(
                    with: Swift.Result {
                        let server = HTTPServer(options: options, handler: handler)
                        let port = try server.start()
                        defer { try? server.stop() }
                        return try body(port, server)
                    })
            }.start()
        }
    }

    /// What a server answers to these bytes, until it closes or `count` answers are there.
    private static func exchange(_ port: Int, _ text: String, closesAfter marker: String? = nil) throws -> String {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var timeout = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
        _ = Array(text.utf8).withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            if count <= 0 { break }
            answer += buffer[..<count]
            if let marker, String(decoding: answer, as: UTF8.self).contains(marker) { break }
        }
        return String(decoding: answer, as: UTF8.self)
    }

    @Test("a request arrives with its parts decoded, and is answered with a length")
    func request() async throws {
        let answer = try await withServer { port, _ in
            try Self.exchange(
                port,
                "POST /a/b%2Fc%20d?x=1&y=%C3%A4+z HTTP/1.1\r\nHost: h\r\nX-Test: 7\r\nConnection: close\r\n"
                    + "Content-Length: 4\r\n\r\nbody")
        }
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.contains("Content-Length: 44\r\n"))
        #expect(answer.hasSuffix(#"POST ["a", "b/c d"] ["x=1", "y=ä z"] 7 body"#))
    }

    @Test("requests on one connection are answered in order; HEAD has no body")
    func pipelining() async throws {
        let answer = try await withServer { port, _ in
            try Self.exchange(
                port,
                "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: h\r\n\r\n"
                    + "GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        }
        #expect(answer.components(separatedBy: "HTTP/1.1 200 OK").count == 4)
        let first = try #require(answer.range(of: #"["1"]"#)), third = try #require(answer.range(of: #"["3"]"#))
        #expect(first.lowerBound < third.lowerBound)
        #expect(!answer.contains(#"["2"]"#))
    }

    @Test(
        "what is no valid request is answered, not dropped",
        arguments: [
            ("nonsense\r\n\r\n", "400"), ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", "400"),
            ("GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", "400"),
            ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\n", "413"),
        ])
    func refusal(text: String, status: String) async throws {
        let answer = try await withServer(HTTPServerOptions(bodyByteLimit: 1000)) { port, _ in
            try Self.exchange(port, text)
        }
        #expect(answer.hasPrefix("HTTP/1.1 \(status)"), "\(answer)")
    }

    @Test("stopping lets a request that is being answered end, and frees the port")
    func stop() async throws {
        let answers = try await withServer(
            HTTPServerOptions(),
            handler: { _ in
                usleep(300_000)
                return HTTPServerResponse(contentType: "text/plain", text: "late")
            },
            { port, server in
                let answer = Mutex("")
                let thread = Thread {
                    answer.withLock { $0 = (try? Self.exchange(port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")) ?? "" }
                }
                thread.start()
                usleep(100_000)
                try server.stop()
                while !thread.isFinished { usleep(1000) }
                // The port can be had again.
                let again = HTTPServer(options: HTTPServerOptions(port: port)) { _ in HTTPServerResponse() }
                #expect(try again.start() == port)
                try again.stop()
                return answer.withLock { $0 }
            })
        #expect(answers.hasSuffix("late"))
    }

    @Test("a port that is taken ends with exit code 3")
    func takenPort() async throws {
        let error: PipelineError? = try await withServer { port, _ in
            do {
                _ = try HTTPServer(options: HTTPServerOptions(port: port)) { _ in HTTPServerResponse() }.start()
                return nil
            } catch let error as PipelineError {
                return error
            }
        }
        #expect(error?.code == .serverCannotListen)
        #expect(error?.exitCode == 3)
        #expect(error?.message.contains("Address already in use") == true)
    }
}
