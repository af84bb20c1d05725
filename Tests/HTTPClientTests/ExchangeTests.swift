import Foundation
import HTTPClient
import PluginAPI
import Testing

@Suite("HTTP exchanges", .enabled(if: TestServer.isRunning, TestServer.reason))
struct ExchangeTests {
    private let server: TestServer
    private let client: HTTPClient

    init() throws {
        server = try TestServer.shared
        client = try HTTPClient()
    }

    private func echo(_ request: HTTPRequest) throws -> [String: Any] {
        let response = try client.send(request)
        return try #require(JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any])
    }

    @Test("method, path, query, headers and body arrive as they were given")
    func request() throws {
        let seen = try echo(
            HTTPRequest(
                method: "POST", url: "\(server.plain)/echo/a%2Fb?q=\(HTTPURL.escape("ä &=/"))",
                headers: [
                    HTTPHeader("X-Plain", "a: b"), HTTPHeader("X-Nothing", ""),
                    HTTPHeader("X-Key", secret: Secret("k3y")),
                    .basic(user: "ann", password: Secret("pässword")),
                ],
                body: Array("hello".utf8)))
        #expect(seen["method"] as? String == "POST")
        #expect(seen["path"] as? String == "/echo/a%2Fb?q=%C3%A4%20%26%3D%2F")
        #expect(seen["body"] as? String == "hello")
        let headers = try #require(seen["headers"] as? [String: String])
        #expect(headers["x-plain"] == "a: b")
        #expect(headers["x-nothing"] == "")
        #expect(headers["x-key"] == "k3y")
        #expect(headers["authorization"] == "Basic " + Data("ann:pässword".utf8).base64EncodedString())
        #expect(headers["user-agent"] == "streamplat")
        #expect(headers["content-length"] == "5")
        // Not the form that libcurl takes every body for.
        #expect(headers["content-type"] == nil)
        #expect(headers["expect"] == nil)
    }

    @Test(
        "a method with or without a body",
        arguments: [
            ("GET", nil), ("GET", 3), ("DELETE", nil), ("DELETE", 3), ("LIST", nil), ("POST", nil), ("POST", 0),
            ("PUT", nil),
            ("PUT", 3), ("PATCH", 3),
        ] as [(String, Int?)])
    func method(_ method: String, count: Int?) throws {
        let body = count.map { [UInt8](repeating: 65, count: $0) }
        let seen = try echo(
            HTTPRequest(
                method: method, url: "\(server.plain)/echo", headers: [HTTPHeader("content-type", "x/y")], body: body))
        #expect(seen["method"] as? String == method)
        #expect(seen["length"] as? Int == count ?? 0)
        #expect((seen["headers"] as? [String: String])?["content-type"] == "x/y")
    }

    @Test("HEAD has headers and no body")
    func head() throws {
        let response = try client.send(HTTPRequest(method: "HEAD", url: "\(server.plain)/bytes/512"))
        #expect(response.status == 200)
        #expect(response.header("content-length") == "512")
        #expect(response.body.isEmpty)
    }

    @Test("every status is an answer, with its headers and body", arguments: [200, 201, 400, 403, 404, 500, 503])
    func status(_ status: Int) throws {
        let response = try client.send(HTTPRequest(url: "\(server.plain)/status/\(status)"))
        #expect(response.status == status)
        #expect(response.text == "said no")
        #expect(response.header("X-TWO") == "a")
        #expect(response.headers.filter { $0.name.lowercased() == "x-two" }.map(\.value) == ["a", "b"])
        #expect(response.header("x-empty") == "")
        #expect(response.header("x-none") == nil)
    }

    @Test("a redirect is an answer: no header goes where the server says")
    func redirect() throws {
        let response = try client.send(HTTPRequest(url: "\(server.plain)/redirect"))
        #expect(response.status == 302)
        #expect(response.header("location") == "/echo")
    }

    @Test("large bodies arrive whole, both ways", arguments: ["PUT", "POST"])
    func large(method: String) throws {
        let block = (0..<9_973).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
        let body = Array(repeating: block, count: 1_200).flatMap { $0 }
        let response = try body.withUnsafeBytes {
            try client.send(HTTPRequest(method: method, url: "\(server.plain)/same"), body: $0)
        }
        #expect(response.body == body)
    }

    @Test("a body in chunks is put together")
    func chunked() throws {
        #expect(try client.send(HTTPRequest(url: "\(server.plain)/chunked")).text == "hello world")
    }

    @Test("requests of one client share a connection, whatever their method")
    func keepAlive() throws {
        let ports = try ["GET", "POST", "PUT", "DELETE"].map {
            try echo(HTTPRequest(method: $0, url: "\(server.plain)/echo", body: $0 == "POST" ? [1] : nil))["port"]
                as? Int
        }
        #expect(Set(ports).count == 1)
    }

    @Test("a client goes on after a failed exchange")
    func recovery() throws {
        #expect(throws: HTTPError.self) { try client.send(HTTPRequest(url: "\(server.plain)/cut")) }
        #expect(throws: HTTPError.self) { try client.send(HTTPRequest(method: "P OST", url: "x", body: [1])) }
        #expect(try echo(HTTPRequest(url: "\(server.plain)/echo"))["length"] as? Int == 0)
    }

    @Test(
        "a POST is not repeated when its connection is lost, a GET is",
        arguments: [("POST", [7], 1), ("POST", nil, 1), ("GET", nil, 2)] as [(String, [UInt8]?, Int)])
    func repetition(method: String, body: [UInt8]?, expected: Int) throws {
        let path = "silent/\(method)-\(body?.count ?? 0)"
        // The connection must have been used before: only then would libcurl repeat a request.
        _ = try echo(HTTPRequest(url: "\(server.plain)/echo"))
        let error = #expect(throws: HTTPError.self) {
            try client.send(HTTPRequest(method: method, url: "\(server.plain)/\(path)", body: body))
        }
        #expect(error?.kind == .cut)
        #expect(error?.requestMayHaveBeenProcessed == true)
        let count = try client.send(HTTPRequest(url: "\(server.plain)/count/\(path)")).text
        #expect(count == "\(expected)")
    }

    @Test("clients on several threads do not disturb each other")
    func threads() throws {
        let url = "\(server.plain)/same"
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            do {
                let client = try HTTPClient()
                for index in 0..<10 {
                    let body = [UInt8](repeating: UInt8(thread), count: 1000 + index)
                    #expect(try client.send(HTTPRequest(method: "POST", url: url, body: body)).body == body)
                }
            } catch {
                Issue.record(error)
            }
        }
    }
}
