import Foundation
import HTTPServer
import RegistryServer
import SchemaStore
import Testing

@Suite("Registry server: a client that we did not write")
struct ForeignClientTests {
    static let python = ProcessInfo.processInfo.environment["STREAMPLAT_PYTHON"] ?? "python3"
    static let isClientThere = run("import confluent_kafka.schema_registry.avro, fastavro", []).status == 0

    static func run(_ script: String, _ arguments: [String]) -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [python, "-c", script] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        if (try? process.run()) == nil { return (-1, "no \(python)") }
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }

    @Test("confluent-kafka registers, serialises, evolves, is refused, configures and deletes")
    func confluentKafka() async throws {
        guard Self.isClientThere else {
            #expect(
                ProcessInfo.processInfo.environment["CI"] == nil, "confluent-kafka is missing; set STREAMPLAT_PYTHON")
            return
        }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("registry-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let service = RegistryService(try SchemaStore(folder: folder, create: true, durable: false))
        let result = try await withCheckedThrowingContinuation { done in
            Thread {
                done.resume(
                    with: Result {
                        let server = HTTPServer { service.respond(to: $0) }
                        let port = try server.start()
                        defer { try? server.stop() }
                        return Self.run(Self.script, ["http://127.0.0.1:\(port)"])
                    })
            }.start()
        }
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.hasSuffix("fine\n"))
    }

    private static let script = #"""
        import json, sys, warnings
        warnings.simplefilter("ignore")
        from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
        from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
        from confluent_kafka.schema_registry.error import SchemaRegistryError
        from confluent_kafka.serialization import MessageField, SerializationContext

        client = SchemaRegistryClient({"url": sys.argv[1]})
        context = SerializationContext("events.shop.order", MessageField.VALUE)
        subject = "events.shop.order-value"

        def record(*fields):
            return json.dumps({"type": "record", "name": "order", "namespace": "shop", "fields": list(fields)}, indent=2)

        id_field = {"name": "id", "type": "string"}
        old = record(id_field, {"name": "count", "type": "int"})
        new = record(id_field, {"name": "count", "type": "long"}, {"name": "note", "type": ["null", "string"], "default": None})
        bad = record(id_field, {"name": "count", "type": "string"})

        # Registers on the first message, then reads it back; the wire format is the usual one.
        message = AvroSerializer(client, old)({"id": "ä", "count": 3}, context)
        assert message[0] == 0 and int.from_bytes(message[1:5], "big") == 1, message
        reading = SchemaRegistryClient({"url": sys.argv[1]})
        assert AvroDeserializer(reading)(message, context) == {"id": "ä", "count": 3}

        # Evolves; the new reader reads the old message.
        assert client.test_compatibility(subject, Schema(new, "AVRO"))
        assert AvroSerializer(client, new)({"id": "b", "count": 2 ** 40, "note": "x"}, context)[1:5] == b"\0\0\0\2"
        assert AvroDeserializer(reading, new)(message, context) == {"id": "ä", "count": 3, "note": None}
        assert client.get_versions(subject) == [1, 2]
        latest = client.get_latest_version(subject)
        assert (latest.version, latest.schema_id, latest.subject) == (2, 2, subject)
        assert json.loads(latest.schema.schema_str) == json.loads(new)
        assert client.lookup_schema(subject, Schema(old, "AVRO")).version == 1
        assert client.get_version(subject, 1).schema_id == 1
        assert client.get_subjects() == [subject]

        # Is refused.
        assert not client.test_compatibility(subject, Schema(bad, "AVRO"))
        try:
            AvroSerializer(client, bad)({"id": "c", "count": "x"}, context)
            raise AssertionError("not refused")
        except SchemaRegistryError as error:
            assert (error.http_status_code, error.error_code) == (409, 409), error
            assert "count" in error.error_message, error
        try:
            client.register_schema("other-value", Schema('{"type": "nonsense"}', "AVRO"))
            raise AssertionError("not refused")
        except SchemaRegistryError as error:
            assert (error.http_status_code, error.error_code) == (422, 42201), error

        # Configures.
        assert client.get_compatibility() == "BACKWARD"
        client.set_compatibility(subject, "NONE")
        assert client.get_compatibility(subject) == "NONE"
        assert client.register_schema(subject, Schema(bad, "AVRO")) == 3

        # Deletes.
        assert client.delete_version(subject, 3) == 3
        assert client.delete_subject(subject) == [1, 2]
        assert client.delete_subject(subject, permanent=True) in ([1, 2], [1, 2, 3])
        assert client.get_subjects() == []
        try:
            SchemaRegistryClient({"url": sys.argv[1]}).get_latest_version(subject)
            raise AssertionError("still there")
        except SchemaRegistryError as error:
            assert (error.http_status_code, error.error_code) == (404, 40401), error
        print("fine")
        """#
}
