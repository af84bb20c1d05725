import ConfigTree
import ConfluentRegistry
import Diagnostics
import Foundation
import HTTPServer
import PluginAPI
import RegistryServer
import SchemaStore
import Synchronization
import Testing

@Suite("Registry plugin confluent")
struct ConfluentRegistryTests {
    typealias Handler = @Sendable (HTTPServerRequest) -> HTTPServerResponse

    /// Servers with these handlers, and the bodies's result; blocking, on a thread of its own.
    private func withServers<Result: Sendable>(
        _ handlers: [Handler], _ body: @escaping @Sendable ([String]) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { done in
            Thread {
                done.resume(
                    with: Swift.Result {
                        let servers = handlers.map { HTTPServer(handler: $0) }
                        defer { for server in servers { try? server.stop(graceMilliseconds: 100) } }
                        return try body(try servers.map { "http://127.0.0.1:\(try $0.start())" })
                    })
            }.start()
        }
    }

    /// A registry in a folder that goes away with it.
    final class Registry: Sendable {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("confluent-\(UUID().uuidString)")
            .path
        let service: RegistryService

        init() throws { service = RegistryService(try SchemaStore(folder: folder, create: true, durable: false)) }
        deinit { try? FileManager.default.removeItem(atPath: folder) }
    }

    private static func open(
        _ urls: [String], _ more: [String: OptionValues.Value] = [:]
    ) throws -> any SchemaRegistry {
        let options = OptionValues(
            more.merging(["urls": .strings(urls), "timeout": .durationMilliseconds(2000)]) { mine, _ in mine })
        return try ConfluentRegistry().open(options, PluginContext(projectRoot: "/") { _ in })
    }

    private static func record(_ type: String) -> String {
        #"{"type":"record","name":"R","fields":[{"name":"a","type":"\#(type)"}]}"#
    }

    /// A port on which nobody listens.
    private static let nobody = "http://127.0.0.1:1"

    @Test("it registers, finds, is told why not, and sets levels")
    func registry() async throws {
        let registry = try Registry()
        let asked = Mutex(0)
        try await withServers([
            { request in
                if request.path.first == "schemas" { asked.withLock { $0 += 1 } }
                return registry.service.respond(to: request)
            }
        ]) { urls in
            let schemas = try Self.open(urls.map { $0 + "/" })
            #expect(try schemas.latest(subject: "a/b ä") == nil)
            #expect(try schemas.schema(id: 1) == nil)
            #expect(try schemas.incompatibilities(subject: "a/b ä", schema: Self.record("int")).isEmpty)
            #expect(try schemas.register(subject: "a/b ä", schema: Self.record("int")) == 1)
            #expect(
                try schemas.latest(subject: "a/b ä")
                    == RegisteredSchema(
                        subject: "a/b ä", id: 1, version: 1, schema: Self.record("int")))
            let before = asked.withLock { $0 }
            #expect(try schemas.schema(id: 1) == Self.record("int"))
            #expect(try schemas.schema(id: 1) == Self.record("int"))
            #expect(asked.withLock { $0 } == before + 1)
            #expect(
                try schemas.incompatibilities(subject: "a/b ä", schema: Self.record("string")) == [
                    "the new schema cannot read version 1: field 'a': the reader takes string, the writer writes int; keep "
                        + "the type int, or use a new field with a default"
                ])
            let error = #expect(throws: PipelineError.self) {
                try schemas.register(subject: "a/b ä", schema: Self.record("string"))
            }
            #expect(error?.code == .schemaIncompatible)
            #expect(error?.message.contains("field 'a'") == true)
            let invalid = #expect(throws: PipelineError.self) { try schemas.register(subject: "x", schema: "\"no\"") }
            #expect(invalid?.code == .schemaNotAccepted)
            #expect(try schemas.compatibility(subject: "x") == .backward)
            try schemas.setCompatibility(.fullTransitive, subject: "x")
            #expect(try schemas.compatibility(subject: "x") == .fullTransitive)
            #expect(try schemas.health().detail == "1 subjects")
            try schemas.close()
        }
    }

    @Test("a server that is down or fails is passed over, and the one that answered is asked first from then on")
    func failOver() async throws {
        let registry = try Registry()
        let failures = Mutex(0)
        try await withServers([
            { _ in
                failures.withLock { $0 += 1 }
                return HTTPServerResponse(status: 503, contentType: "text/html", text: "<h1>maintenance</h1>")
            }, { registry.service.respond(to: $0) },
        ]) { urls in
            let schemas = try Self.open([Self.nobody] + urls)
            for subject in 0..<5 {
                #expect(try schemas.register(subject: "s\(subject)", schema: "\"int\"") == 1)
            }
            #expect(failures.withLock { $0 } == 1)
        }
    }

    @Test("a registry that is not there ends with exit code 3 and names every address")
    func down() async throws {
        try await withServers([{ _ in HTTPServerResponse(status: 500) }]) { urls in
            let error = #expect(throws: PipelineError.self) { try Self.open([Self.nobody] + urls) }
            #expect(error?.code == .registryUnreachable)
            #expect(error?.exitCode == 3)
            #expect(error?.message.contains("127.0.0.1:1:") == true)
            #expect(error?.message.contains("\(urls[0]): status 500") == true)
        }
    }

    @Test("one that goes away later is asked again, and the failure says so")
    func goesAway() async throws {
        let registry = try Registry()
        let isAway = Mutex(false)
        try await withServers([
            { request in
                isAway.withLock { $0 } ? HTTPServerResponse(status: 502) : registry.service.respond(to: request)
            }
        ]) { urls in
            let schemas = try Self.open(urls)
            isAway.withLock { $0 = true }
            let error = #expect(throws: PipelineError.self) { try schemas.latest(subject: "s") }
            #expect(error?.retry == .backoff)
            #expect(error?.exitCode == 1)
            let thread = Thread {
                usleep(100_000)
                isAway.withLock { $0 = false }
            }
            thread.start()
            #expect(try schemas.latest(subject: "s") == nil)
        }
    }

    @Test(
        "credentials are sent; wrong ones are an error that does not show them",
        arguments: [
            (["username": "u", "password": "canary-7f3a"], nil), (["token": "canary-7f3a"], nil),
            (["username": "u", "password": "canary-wrong"], "check 'username'"),
            (["token": "canary-wrong"], "check 'username'"),
            ([:], "it wants credentials"),
        ] as [([String: String], String?)])
    func credentials(given: [String: String], hint: String?) async throws {
        let registry = try Registry()
        let right = ["Basic " + Data("u:canary-7f3a".utf8).base64EncodedString(), "Bearer canary-7f3a"]
        try await withServers([
            { request in
                guard right.contains(request.header("authorization") ?? "") else {
                    return HTTPServerResponse(
                        status: 401, contentType: "text/plain", text: "no: \(request.header("authorization") ?? "")")
                }
                return registry.service.respond(to: request)
            }
        ]) { urls in
            let more = given.mapValues { OptionValues.Value.secret(Secret($0)) }
                .merging(given["username"].map { ["username": .string($0)] } ?? [:]) { $1 }
            guard let hint else {
                #expect(try Self.open(urls, more).register(subject: "s", schema: "\"int\"") == 1)
                return
            }
            let error = try #require(throws: PipelineError.self) { try Self.open(urls, more) }
            #expect(error.code == .registryCredentials)
            #expect(error.exitCode == 3)
            #expect(error.hint?.hasPrefix(hint) == true)
            #expect(!"\(error) \(error.hint ?? "") \(String(reflecting: error))".contains("canary"))
        }
    }

    @Test(
        "what is no registry is named as such",
        arguments: [(200, "<html>hello</html>"), (404, "<html>not found</html>"), (302, ""), (200, "{}"), (418, "{")])
    func stranger(status: Int, body: String) async throws {
        try await withServers([{ _ in HTTPServerResponse(status: status, contentType: "text/html", text: body) }]) {
            urls in
            let error = #expect(throws: PipelineError.self) { try Self.open(urls) }
            #expect(error?.code == .registryAnswer)
            #expect(error?.exitCode == 3)
            #expect(error?.hint?.isEmpty == false)
        }
    }

    @Test(
        "options that contradict each other are found without a connection",
        arguments: [
            (["urls": .strings([])], "is empty"), (["urls": .strings(["localhost:8081"])], "not an http"),
            (["urls": .strings(["http://u:canary@h"])], "holds credentials"),
            (["username": .string("u")], "belong together"),
            (
                ["username": .string("u"), "password": .secret(Secret("canary")), "token": .secret(Secret("t"))],
                "two ways"
            ),
            (["key_file": .string("k")], "without 'cert_file'"), (["timeout": .durationMilliseconds(0)], "positive"),
        ] as [([String: OptionValues.Value], String)])
    func options(values: [String: OptionValues.Value], message: String) {
        var diagnostics = Diagnostics()
        ConfluentRegistry().validate(
            OptionValues(values.merging(["urls": .strings(["http://h"])]) { mine, _ in mine }), into: &diagnostics)
        #expect(diagnostics.items.map(\.code) == [.registryOptions])
        #expect(diagnostics.items.first?.message.contains(message) == true)
        #expect(!"\(diagnostics)".contains("canary"))
    }
}
