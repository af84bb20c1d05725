import Diagnostics
import Foundation
import PluginAPI
import SchemaStore
import Synchronization
import Testing

@Suite("Schema store")
struct SchemaStoreTests {
    /// A folder that goes away with the test.
    final class Scratch: Sendable {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("schemas-\(UUID().uuidString)").path
        let notes = Mutex<[String]>([])

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func open() throws -> SchemaStore {
            try SchemaStore(folder: path, create: true, durable: false) { [weak self] note in
                self?.notes.withLock { $0.append(note) }
            }
        }
    }

    static func record(_ fields: String...) -> String {
        #"{"type":"record","name":"R","fields":["# + fields.joined(separator: ",") + "]}"
    }

    static let a = #"{"name":"a","type":"int"}"#
    static let b = #"{"name":"b","type":"string"}"#
    static let bDefault = #"{"name":"b","type":"string","default":""}"#

    @Test("ids are dense, shared by schemas that are the same but for how they are written, and kept for ever")
    func ids() throws {
        let scratch = Scratch()
        let store = try scratch.open()
        #expect(try store.register(subject: "a", schema: #"{ "type": "int" }"#).id == 1)
        // Another process.
        #expect(try scratch.open().register(subject: "b", schema: "\"long\"").id == 2)
        #expect(try store.register(subject: "b", schema: " {\"type\" : \"long\"}\n").version == 1)
        #expect(
            try store.register(subject: "c", schema: "\"int\"")
                == RegisteredSchema(
                    subject: "c", id: 1, version: 1, schema: "\"int\""))
        let again = try scratch.open()
        #expect(try again.schema(id: 2) == "\"long\"")
        #expect(try again.schema(id: 3) == nil)
        #expect(try again.subjects() == ["a", "b", "c"])
        #expect(try again.usages(id: 1).map(\.subject) == ["a", "c"])
        #expect(try again.lookUp(subject: "a", schema: "\"int\"").version == 1)
        #expect(throws: SchemaRefusal.schemaNotFound) { try again.lookUp(subject: "a", schema: "\"long\"") }
    }

    @Test("a torn line is cut with a notice")
    func tornLine() throws {
        let scratch = Scratch()
        _ = try scratch.open().register(subject: "a", schema: "\"int\"")
        let handle = try #require(FileHandle(forWritingAtPath: "\(scratch.path)/schemas.jsonl"))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("{\"id\":2,".utf8))
        let store = try scratch.open()
        #expect(try store.latest(subject: "a")?.id == 1)
        #expect(try store.register(subject: "a", schema: "\"long\"").id == 2)
        #expect(scratch.notes.withLock { $0 } == ["schema registry: cut 8 bytes of a torn line after line 1"])
    }

    @Test(
        "a damaged line in the middle is an error, not a loss",
        arguments: ["x", "{\"id\":7,\"subject\":\"a\",\"version\":1,\"schema\":\"1\"}"])
    func damage(line: String) throws {
        let scratch = Scratch()
        try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
        try Data("\(line)\n".utf8).write(to: URL(fileURLWithPath: "\(scratch.path)/schemas.jsonl"))
        let store = try scratch.open()
        let error = #expect(throws: PipelineError.self) { try store.register(subject: "a", schema: "\"int\"") }
        #expect(error?.code == .registryFiles)
    }

    @Test("a store that may not be created is empty and leaves nothing behind")
    func inspect() throws {
        let scratch = Scratch()
        let store = try SchemaStore(folder: scratch.path, create: false)
        #expect(try store.subjects().isEmpty)
        #expect(try store.latest(subject: "a") == nil)
        #expect(try store.compatibility(subject: "a") == .backward)
        #expect(!FileManager.default.fileExists(atPath: scratch.path))
    }

    @Test("processes that register at the same time get one id for each schema")
    func concurrency() async throws {
        let scratch = Scratch()
        try await withThrowingTaskGroup(of: [Int32].self) { group in
            for _ in 0..<4 {
                let store = try scratch.open()
                group.addTask {
                    try (1...20).map { size in
                        try store.register(
                            subject: "s\(size)", schema: #"{"type":"fixed","name":"F","size":\#(size)}"#
                        ).id
                    }
                }
            }
            var all: [[Int32]] = []
            for try await ids in group { all.append(ids) }
            #expect(Set(all).count == 1)
            #expect(Set(all[0]) == Set(1...20))
        }
    }

    @Test(
        "each level forbids what it is there for",
        arguments: [
            // A field with a default goes away, then comes back with another type: only against the first version wrong.
            (CompatibilityLevel.none, [true, true, true]), (.backward, [true, false, true]),
            (.forward, [false, true, true]), (.full, [false, false, true]),
        ])
    func levels(level: CompatibilityLevel, isTaken: [Bool]) throws {
        let new = [Self.record(Self.a, Self.b), Self.record(Self.a), Self.record(Self.a, Self.bDefault)]
        let old = [Self.record(Self.a), Self.record(Self.a, Self.b), Self.record(Self.a)]
        // New field without a default is not backward; removed field without a default is not forward.
        let expected = [isTaken[1], isTaken[0], isTaken[2]]
        for (index, (old, new)) in zip(old, new).enumerated() {
            let scratch = Scratch()
            let store = try scratch.open()
            try store.setCompatibility(level, subject: nil)
            _ = try store.register(subject: "s", schema: old)
            let reasons = try store.incompatibilities(subject: "s", schema: new)
            #expect(reasons.isEmpty == expected[index], "\(level) \(index) \(reasons)")
            if reasons.isEmpty {
                #expect(try store.register(subject: "s", schema: new).version == 2)
            } else {
                #expect(throws: SchemaRefusal.incompatible(reasons)) { try store.register(subject: "s", schema: new) }
            }
        }
    }

    @Test(
        "transitive levels look at every version",
        arguments: [
            (CompatibilityLevel.backward, true), (.backwardTransitive, false), (.forward, true),
            (.forwardTransitive, false), (.full, true), (.fullTransitive, false),
        ])
    func transitive(level: CompatibilityLevel, isTaken: Bool) throws {
        let scratch = Scratch()
        let store = try scratch.open()
        try store.setCompatibility(CompatibilityLevel.none, subject: nil)
        _ = try store.register(subject: "s", schema: Self.record(Self.a, #"{"name":"x","type":"string","default":""}"#))
        _ = try store.register(subject: "s", schema: Self.record(Self.a))
        try store.setCompatibility(level, subject: "s")
        let new = Self.record(Self.a, #"{"name":"x","type":"int","default":1}"#)
        #expect(try store.incompatibilities(subject: "s", schema: new).isEmpty == isTaken)
        #expect(try store.ownCompatibility(subject: "s") == level)
    }

    @Test("a refusal says which version, which field, why and what to do")
    func wording() throws {
        let scratch = Scratch()
        let store = try scratch.open()
        _ = try store.register(subject: "s", schema: Self.record(Self.a))
        #expect(
            try store.incompatibilities(subject: "s", schema: Self.record(Self.a, Self.b)) == [
                "the new schema cannot read version 1: field 'b': reader field 'b' has no default and the writer does not "
                    + "write it; give 'b' a default"
            ])
        #expect(throws: SchemaRefusal.invalidSchema("1:1: unknown type 'nonsense'")) {
            try store.register(subject: "s", schema: "\"nonsense\"")
        }
        #expect(throws: SchemaRefusal.self) {
            try store.register(subject: "s", schema: Self.record(#"{"name":"a","type":"int","default":"x"}"#))
        }
    }

    @Test("a deletion is soft first, hides the version, and can be undone by registering again")
    func deletion() throws {
        let scratch = Scratch()
        let store = try scratch.open()
        _ = try store.register(subject: "s", schema: "\"int\"")
        _ = try store.register(subject: "s", schema: "\"long\"")
        #expect(throws: SchemaRefusal.versionNotDeleted(subject: "s", version: 1)) {
            try store.delete(subject: "s", version: 1, isPermanent: true)
        }
        #expect(try store.delete(subject: "s", version: 1, isPermanent: false) == 1)
        #expect(try store.versions(of: "s") == [2])
        #expect(try store.versions(of: "s", includingDeleted: true) == [1, 2])
        #expect(try store.schema(id: 1) == "\"int\"")
        #expect(throws: SchemaRefusal.versionDeleted(subject: "s", version: 1)) {
            try store.delete(subject: "s", version: 1, isPermanent: false)
        }
        #expect(throws: SchemaRefusal.subjectNotDeleted("s")) { try store.delete(subject: "s", isPermanent: true) }
        #expect(try store.delete(subject: "s", isPermanent: false) == [2])
        #expect(try store.subjects() == [])
        #expect(throws: SchemaRefusal.subjectDeleted("s")) { try store.delete(subject: "s", isPermanent: false) }
        #expect(try store.register(subject: "s", schema: "\"long\"").version == 3)
        #expect(try store.delete(subject: "s", isPermanent: false) == [3])
        #expect(try scratch.open().delete(subject: "s", isPermanent: true) == [1, 2, 3])
        #expect(try store.schema(id: 2) == nil)
        #expect(throws: SchemaRefusal.subjectNotFound("s")) { try store.versions(of: "s", includingDeleted: true) }
        // The same schema has its id again; another one gets a new one.
        #expect(
            try store.register(subject: "s", schema: "\"int\"")
                == RegisteredSchema(
                    subject: "s", id: 1, version: 1, schema: "\"int\""))
        #expect(try store.register(subject: "t", schema: "\"double\"").id == 3)
    }

    @Test("settings of a subject go before those of the registry, and go away again")
    func settings() throws {
        let scratch = Scratch()
        let store = try scratch.open()
        #expect(try store.globalCompatibility() == .backward)
        try store.setCompatibility(.full, subject: nil)
        try store.setCompatibility(.forward, subject: "s")
        try store.setMode(.readOnly, subject: nil)
        try store.setMode(.readWrite, subject: "s")
        let again = try scratch.open()
        #expect(try again.compatibility(subject: "s") == .forward)
        #expect(try again.compatibility(subject: "t") == .full)
        #expect(throws: SchemaRefusal.readOnly(subject: "t")) { try again.register(subject: "t", schema: "\"int\"") }
        #expect(try again.register(subject: "s", schema: "\"int\"").id == 1)
        try again.setCompatibility(nil, subject: "s")
        try again.setMode(nil, subject: nil)
        #expect(try store.compatibility(subject: "s") == .full)
        #expect(try store.globalMode() == .readWrite)
    }
}
