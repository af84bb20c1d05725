import Foundation
import HTTPClient
import PluginAPI
import Testing

@Suite("HTTP failures", .enabled(if: TestServer.isRunning, TestServer.reason))
struct FailureTests {
    private let server: TestServer

    init() throws { server = try TestServer.shared }

    private func failure(
        _ url: String, options: HTTPClientOptions = HTTPClientOptions(), method: String = "GET", body: [UInt8]? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> HTTPError {
        let client = try HTTPClient(options: options)
        return try #require(
            #expect(throws: HTTPError.self, sourceLocation: sourceLocation) {
                try client.send(HTTPRequest(method: method, url: url, body: body))
            }, sourceLocation: sourceLocation)
    }

    @Test("nobody listens")
    func refused() throws {
        let port = closedPort()
        let error = try failure("http://127.0.0.1:\(port)/")
        #expect(error.kind == .refused)
        #expect(error.description.contains("\(port)"))
        #expect(!error.requestMayHaveBeenProcessed)
    }

    @Test("the host has no address")
    func unresolved() throws {
        let error = try failure("http://no-such-host.invalid/")
        #expect(error.kind == .unresolved)
        #expect(!error.requestMayHaveBeenProcessed)
    }

    @Test("an answer that does not come in time")
    func timeout() throws {
        let error = try failure("\(server.plain)/slow/3000", options: .init(timeoutMilliseconds: 150))
        #expect(error.kind == .timeout)
        #expect(error.requestMayHaveBeenProcessed)
    }

    @Test("a server that accepts no connection in time")
    func connectTimeout() throws {
        // A socket that listens and is never accepted from, with its queue full.
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(descriptor, $0, length)
                _ = listen(descriptor, 8)
                _ = getsockname(descriptor, $0, &length)
                return UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr_in.self).pointee.sin_port.bigEndian
            }
        }
        // The kernel completes the TCP handshake; TLS has nobody to talk to.
        let error = try failure("https://127.0.0.1:\(port)/", options: .init(connectTimeoutMilliseconds: 150))
        #expect(error.kind == .timeout)
        #expect(!error.requestMayHaveBeenProcessed)
    }

    @Test(
        "an answer that is not whole, or is none",
        arguments: [
            "cut", "cut-chunk", "cut-status", "cut-headers", "cut-in-header", "cut-after-interim",
            "only-interim", "garbage", "bad-status", "silent/x",
        ])
    func cut(path: String) throws {
        let error = try failure("\(server.plain)/\(path)", method: "POST", body: [1, 2, 3])
        #expect(error.kind == .cut)
        #expect(error.requestMayHaveBeenProcessed)
        #expect(!error.detail.isEmpty)
    }

    @Test("a body or headers over the limit", arguments: [("bytes/102400", "100000"), ("many-headers", "262144")])
    func tooLarge(path: String, limit: String) throws {
        let error = try failure("\(server.plain)/\(path)", options: .init(responseByteLimit: 100_000))
        #expect(error.kind == .tooLarge)
        #expect(error.detail.contains(limit))
    }

    @Test("a body of exactly the limit is taken")
    func exactLimit() throws {
        let client = try HTTPClient(options: .init(responseByteLimit: 102_400))
        #expect(try client.send(HTTPRequest(url: "\(server.plain)/bytes/102400")).body.count == 102_400)
    }

    @Test(
        "what cannot be asked",
        arguments: [
            "", "127.0.0.1:80", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http://127.0.0.1:99999/",
            "http://127.0.0.1/a b", "http://127.0.0.1/\n", "http://ann:hunter2@127.0.0.1/",
        ])
    func invalid(url: String) throws {
        let error = try failure(url)
        #expect(error.kind == .invalid)
        #expect(!error.requestMayHaveBeenProcessed)
        #expect(!error.description.contains("hunter2"))
    }

    @Test(
        "a header that would begin another one",
        arguments: [
            HTTPHeader("X", "a\r\nY: b"), HTTPHeader("X: a\r\nY", "b"), HTTPHeader("X", secret: Secret("a\0b")),
        ])
    func injection(header: HTTPHeader) throws {
        let client = try HTTPClient()
        let error = #expect(throws: HTTPError.self) {
            try client.send(HTTPRequest(url: "\(server.plain)/echo", headers: [header]))
        }
        #expect(error?.kind == .invalid)
    }

    @Test("no text of a request or an error shows a secret or a query")
    func secrets() throws {
        let canary = Secret("c4n4ry")
        let headers = [
            .bearer(canary), .basic(user: "u", password: canary), HTTPHeader("X-Vault-Token", secret: canary),
        ]
        let basic = Data("u:c4n4ry".utf8).base64EncodedString()
        for url in [
            "http://c4n4ry.invalid/", "http://127.0.0.1:\(closedPort())/?k=c4n4ry", "\(server.plain)/garbage?c4n4ry",
            "\(server.plain)/cut?c4n4ry", "http://127.0.0.1:99999/?c4n4ry", "\(server.secure)/?c4n4ry",
            "gopher://h/?c4n4ry",
        ] {
            let error = #expect(throws: HTTPError.self) {
                try HTTPClient().send(HTTPRequest(url: url, headers: headers))
            }
            var text = ""
            dump(error, to: &text)
            text += error.map { "\($0) \(String(reflecting: $0))" } ?? ""
            // The host is no secret.
            text.replace("c4n4ry.invalid", with: "")
            #expect(!text.contains("c4n4ry") && !text.contains(basic), "\(url)")
        }
        var text = "\(headers) \(String(reflecting: headers))"
        dump(headers, to: &text)
        #expect(!text.contains("c4n4ry") && !text.contains(basic))
        #expect(!"\(HTTPRequest(url: "http://h/p?c4n4ry"))".contains("c4n4ry"))
    }
}

@Suite("TLS", .enabled(if: TestServer.isRunning, TestServer.reason))
struct TLSTests {
    private let server: TestServer

    init() throws { server = try TestServer.shared }

    private func send(_ url: String, _ options: HTTPClientOptions) throws -> HTTPResponse {
        try HTTPClient(options: options).send(HTTPRequest(url: url))
    }

    private func expectTLSError(_ url: String, _ options: HTTPClientOptions) {
        let error = #expect(throws: HTTPError.self) { try send(url, options) }
        #expect(error?.kind == .tls)
        #expect(error?.requestMayHaveBeenProcessed == false)
    }

    @Test("a certificate of the named authority is trusted")
    func trusted() throws {
        #expect(try send("\(server.secure)/echo", .init(certificateAuthorityFile: server.authorityFile)).status == 200)
    }

    @Test("a certificate of nobody known is refused")
    func unknown() { expectTLSError(server.secure, .init()) }

    @Test("a certificate of another authority is refused")
    func wrong() { expectTLSError(server.secure, .init(certificateAuthorityFile: server.otherAuthorityFile)) }

    @Test("a certificate for another host is refused")
    func wrongHost() {
        expectTLSError(
            server.secure.replacing("localhost", with: "127.0.0.1"),
            .init(certificateAuthorityFile: server.authorityFile))
    }

    @Test("an authority file that is not there is named")
    func missingFile() {
        let file = server.folder.appendingPathComponent("absent.pem").path
        let error = #expect(throws: HTTPError.self) { try send(server.secure, .init(certificateAuthorityFile: file)) }
        #expect(error?.kind == .tls)
        #expect(error?.detail.contains("absent.pem") == true)
    }

    @Test("a server that speaks no TLS")
    func noTLS() { expectTLSError(server.plain.replacing("http://", with: "https://"), .init()) }

    @Test("without verification anybody is trusted")
    func unverified() throws { #expect(try send("\(server.secure)/echo", .init(verifiesPeer: false)).status == 200) }
}

@Suite("URLs")
struct URLTests {
    @Test(
        "only unreserved bytes stay as they are",
        arguments: [("aZ09-._~", "aZ09-._~"), ("a/b c", "a%2Fb%20c"), ("ä%", "%C3%A4%25"), ("", "")])
    func escape(text: String, expected: String) { #expect(HTTPURL.escape(text) == expected) }
}
