import Foundation
import HTTPServer
import RegistryServer
import SchemaStore
import Testing

@Suite("Registry server: the REST interface")
final class RegistryServiceTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("rest-\(UUID().uuidString)").path
    private let service: RegistryService

    init() throws { service = RegistryService(try SchemaStore(folder: folder, create: true, durable: false)) }
    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// `METHOD /target` and a body → `status body`.
    private func ask(_ line: String, _ body: String = "") throws -> String {
        let parts = line.split(separator: " ").map(String.init)
        let request = try #require(HTTPServerRequest(method: parts[0], target: parts[1], body: Array(body.utf8)))
        let response = service.respond(to: request)
        #expect(response.headers.map(\.value) == ["application/vnd.schemaregistry.v1+json"])
        return "\(response.status) \(String(decoding: response.body, as: UTF8.self))"
    }

    private static let v1 =
        #"{"schema":"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}"}"#
    private static let v2 =
        #"{"schema":"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"long\"}]}"}"#
    private static let bad =
        #"{"schema":"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"string\"}]}"}"#

    @Test("a subject lives: registered, found, evolved, refused, deleted")
    func life() throws {
        #expect(try ask("GET /") == "200 {}")
        #expect(try ask("GET /subjects") == "200 []")
        #expect(try ask("POST /subjects/s/versions", Self.v1) == #"200 {"id":1}"#)
        #expect(try ask("POST /subjects/s/versions?normalize=true", Self.v1) == #"200 {"id":1}"#)
        #expect(try ask("POST /subjects/a%2Fb/versions", Self.v1) == #"200 {"id":1}"#)
        #expect(try ask("GET /subjects?subjectPrefix=a") == #"200 ["a/b"]"#)
        #expect(try ask("POST /compatibility/subjects/s/versions/latest", Self.v2) == #"200 {"is_compatible":true}"#)
        #expect(try ask("POST /compatibility/subjects/s/versions", Self.bad) == #"200 {"is_compatible":false}"#)
        #expect(
            try ask("POST /compatibility/subjects/s/versions/1?verbose=true", Self.bad)
                == #"200 {"is_compatible":false,"messages":["the new schema cannot read version 1: field 'a': the reader takes string, the writer writes int; keep the type int, or use a new field with a default"]}"#
        )
        let refusal = try ask("POST /subjects/s/versions", Self.bad)
        #expect(refusal.hasPrefix(#"409 {"error_code":409,"message":"Schema being registered is incompatible"#))
        #expect(refusal.contains("field 'a'") && refusal.contains("BACKWARD"))
        #expect(try ask("POST /subjects/s/versions", Self.v2) == #"200 {"id":2}"#)
        #expect(try ask("GET /subjects/s/versions") == "200 [1,2]")
        #expect(try ask("GET /subjects/s/versions/latest").hasPrefix(#"200 {"id":2,"schema":"{\"type\":\"record\""#))
        #expect(
            try ask("GET /subjects/s/versions/1/schema")
                == #"200 {"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}"#)
        #expect(try ask("POST /subjects/s", Self.v1).hasSuffix(#""subject":"s","version":1}"#))
        #expect(
            try ask("GET /schemas/ids/1/versions")
                == #"200 [{"subject":"a/b","version":1},{"subject":"s","version":1}]"#)
        #expect(try ask("GET /schemas/ids/1/subjects") == #"200 ["a/b","s"]"#)
        #expect(try ask("GET /schemas/ids/2/schema").hasPrefix(#"200 {"type":"record""#))
        #expect(try ask("GET /schemas/types") == #"200 ["AVRO"]"#)
        #expect(try ask("DELETE /subjects/s/versions/1") == "200 1")
        #expect(try ask("GET /subjects/s/versions?deleted=true") == "200 [1,2]")
        #expect(try ask("GET /subjects/s/versions?deletedOnly=true") == "200 [1]")
        #expect(try ask("GET /subjects/s/versions?deleted=true&offset=1&limit=1") == "200 [2]")
        #expect(try ask("DELETE /subjects/s") == "200 [2]")
        #expect(try ask("DELETE /subjects/s?permanent=true") == "200 [1,2]")
        #expect(try ask("GET /subjects") == #"200 ["a/b"]"#)
    }

    @Test("levels and modes are set, asked for and taken back")
    func settings() throws {
        #expect(try ask("GET /config") == #"200 {"compatibilityLevel":"BACKWARD"}"#)
        #expect(try ask("PUT /config", #"{"compatibility":"full"}"#) == #"200 {"compatibility":"FULL"}"#)
        #expect(try ask("GET /config/s").hasPrefix(#"404 {"error_code":40408"#))
        #expect(try ask("GET /config/s?defaultToGlobal=true") == #"200 {"compatibilityLevel":"FULL"}"#)
        #expect(try ask("PUT /config/s", #"{"compatibility":"NONE"}"#) == #"200 {"compatibility":"NONE"}"#)
        #expect(try ask("GET /config/s") == #"200 {"compatibilityLevel":"NONE"}"#)
        #expect(try ask("DELETE /config/s") == #"200 {"compatibilityLevel":"NONE"}"#)
        #expect(try ask("GET /config/s").hasPrefix("404"))
        #expect(try ask("GET /mode") == #"200 {"mode":"READWRITE"}"#)
        #expect(try ask("PUT /mode/s", #"{"mode":"READONLY"}"#) == #"200 {"mode":"READONLY"}"#)
        #expect(try ask("POST /subjects/s/versions", Self.v1).hasPrefix(#"422 {"error_code":42205"#))
        #expect(try ask("GET /mode/t").hasPrefix(#"404 {"error_code":40409"#))
    }

    @Test(
        "what cannot be done has the registry's code",
        arguments: [
            ("GET /subjects/x/versions", "", 40401), ("GET /subjects/x/versions/1", "", 40401),
            ("GET /subjects/s/versions/7", "", 40402), ("GET /subjects/s/versions/zero", "", 42202),
            ("GET /subjects/s/versions/0", "", 42202), ("GET /schemas/ids/9", "", 40403),
            ("POST /subjects/s", RegistryServiceTests.v2, 40403), ("POST /subjects/x", RegistryServiceTests.v1, 40401),
            ("POST /subjects/s/versions", #"{"schema":"{\"type\":\"nonsense\"}"}"#, 42201),
            ("POST /subjects/s/versions", #"{"schema":""}"#, 42201),
            ("POST /subjects/s/versions", "no JSON", 400),
            ("POST /subjects/s/versions", #"{"schema":"\"int\"","schemaType":"JSON"}"#, 42201),
            (
                "POST /subjects/s/versions",
                #"{"schema":"\"int\"","references":[{"name":"x","subject":"y","version":1}]}"#, 42201
            ),
            ("POST /subjects/s/versions", #"{"schema":"\"int\"","id":7}"#, 42205),
            ("PUT /config", #"{"compatibility":"SIDEWAYS"}"#, 42203), ("PUT /mode", #"{"mode":"IMPORT"}"#, 42204),
            ("DELETE /subjects/s?permanent=true", "", 40405),
            ("DELETE /subjects/s/versions/1?permanent=true", "", 40407),
            ("DELETE /subjects/x", "", 40401), ("PATCH /subjects", "", 405), ("GET /nothing", "", 404),
            ("GET /schemas/ids/one", "", 404),
        ])
    func codes(line: String, body: String, code: Int) throws {
        _ = try ask("POST /subjects/s/versions", Self.v1)
        let answer = try ask(line, body)
        #expect(answer.hasPrefix("\(code < 1000 ? code : code / 100) {\"error_code\":\(code),"), "\(answer)")
    }

    @Test("files that fail are an answer, too")
    func storage() throws {
        try Data("garbage\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/schemas.jsonl"))
        #expect(try ask("GET /subjects").hasPrefix(#"500 {"error_code":50001"#))
    }
}
