import AvroSchema
import Foundation
import Testing

@Suite("Schema compatibility")
struct SchemaCompatibilityTests {
    static let python = ProcessInfo.processInfo.environment["STREAMPLAT_PYTHON"] ?? "python3"
    static let isFastavroThere = run(["-c", "import fastavro"], input: "") != nil

    /// The script's output; nil when it failed.
    static func run(_ arguments: [String], input: String) -> String? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [python] + arguments
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("pairs-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        guard (try? input.write(to: file, atomically: true, encoding: .utf8)) != nil,
            let source = try? FileHandle(forReadingFrom: file)
        else { return nil }
        let output = Pipe()
        process.standardInput = source
        process.standardOutput = output
        if (try? process.run()) == nil { return nil }
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? String(decoding: bytes, as: UTF8.self) : nil
    }

    private func findings(reader: String, writer: String) throws -> [SchemaFinding] {
        try SchemaCompatibility.findings(reader: .parse(json: reader), writer: .parse(json: writer))
    }

    @Test("fastavro agrees about random schemas and their changes", arguments: [UInt64(1), 2, 3])
    func fastavro(seed: UInt64) throws {
        guard Self.isFastavroThere else {
            #expect(ProcessInfo.processInfo.environment["CI"] == nil, "fastavro is missing; set STREAMPLAT_PYTHON")
            return
        }
        var maker = SchemaMaker(seed: seed)
        var pairs: [(reader: String, writer: String)] = []
        for number in 0..<400 {
            let old = number % 3 == 0 ? maker.schema() : maker.record()
            var new = old
            for _ in 0...number % 3 { new = maker.changed(new) }
            pairs.append(number % 2 == 0 ? (new.json, old.json) : (old.json, new.json))
        }
        let input = pairs.map { "{\"reader\":\($0.reader),\"writer\":\($0.writer)}\n" }.joined()
        let output = try #require(Self.run(["-c", fastavroScript], input: input))
        let verdicts = output.split(separator: "\n").map(String.init)
        try #require(verdicts.count == pairs.count)
        var counts: [String: Int] = [:]
        for (pair, verdict) in zip(pairs, verdicts) {
            let ours = try findings(reader: pair.reader, writer: pair.writer)
            counts[String(verdict.prefix(5)), default: 0] += 1
            #expect(
                (ours.isEmpty ? "yes" : "no") == verdict,
                "seed \(seed)\nreader \(pair.reader)\nwriter \(pair.writer)\n\(ours.map(\.reason))")
        }
        // Both verdicts are common, so that agreeing means something.
        #expect(counts["yes", default: 0] > 100 && counts["no", default: 0] > 100, "\(counts)")
    }

    @Test("a finding names the field, the reason and what to do")
    func wording() throws {
        let old =
            #"{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array","items":{"type":"record","name":"I","fields":[{"name":"x","type":"int"}]}}}]}"#
        let new =
            #"{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array","items":{"type":"record","name":"I","fields":[{"name":"x","type":"string"},{"name":"y","type":"int"}]}}}]}"#
        let found = try findings(reader: new, writer: old)
        #expect(found.map(\.path) == ["a[].x", "a[].y"])
        #expect(
            found.map(\.reason) == [
                "the reader takes string, the writer writes int",
                "reader field 'y' has no default and the writer does not write it",
            ])
        #expect(found.last?.suggestion(changing: .reader) == "give 'y' a default")
        #expect(try findings(reader: old, writer: new).map(\.path) == ["a[].x"])
    }

    @Test(
        "types that contain themselves are compared once",
        arguments: [
            ("int", "long", true), ("long", "int", false),
        ])
    func recursion(old: String, new: String, isRead: Bool) throws {
        func list(_ type: String) -> String {
            #"{"type":"record","name":"n.Node","fields":[{"name":"value","type":"\#(type)"},{"name":"next","type":["null","Node"]}]}"#
        }
        #expect(try findings(reader: list(new), writer: list(old)).isEmpty == isRead)
        #expect(throws: AvroSchemaError.self) { try AvroSchema.parse(json: list(old)) }
    }

    @Test(
        "names count without their namespace, aliases with it",
        arguments: [
            (#"{"type":"fixed","name":"b.F","size":2}"#, #"{"type":"fixed","name":"a.F","size":2}"#, true),
            (
                #"{"type":"fixed","name":"b.G","aliases":["a.F"],"size":2}"#,
                #"{"type":"fixed","name":"a.F","size":2}"#, true
            ),
            (
                #"{"type":"fixed","name":"b.G","aliases":["F"],"size":2}"#, #"{"type":"fixed","name":"a.F","size":2}"#,
                false
            ),
            (
                #"{"type":"fixed","name":"a.G","aliases":["F"],"size":2}"#, #"{"type":"fixed","name":"a.F","size":2}"#,
                true
            ),
        ])
    func names(reader: String, writer: String, isRead: Bool) throws {
        #expect(try findings(reader: reader, writer: writer).isEmpty == isRead)
    }

    @Test(
        "every level looks in its direction, and only the transitive ones at all versions",
        arguments: [
            (true, false, false, [String]()), (true, false, true, ["1 new"]),
            (false, true, false, ["2 old"]), (false, true, true, ["1 old", "2 old"]),
            (true, true, false, ["2 old"]), (true, true, true, ["1 new", "1 old", "2 old"]), (false, false, true, []),
        ])
    func levels(readsOld: Bool, isReadByOld: Bool, isTransitive: Bool, expected: [String]) throws {
        func schema(_ type: String) throws -> SchemaGraph { try .parse(json: "\"\(type)\"") }
        let found = SchemaCompatibility.findings(
            new: try schema("long"), versions: [(1, try schema("string")), (2, try schema("int"))], readsOld: readsOld,
            isReadByOld: isReadByOld, isTransitive: isTransitive)
        #expect(found.map { "\($0.version) \($0.isNewTheReader ? "new" : "old")" } == expected)
    }

    @Test(
        "the canonical text is one for all ways to write a schema, and keeps what was written",
        arguments: [
            (#"{ "type" : "string" }"#, #""string""#),
            (#"{"logicalType":"date","type":"int"}"#, #"{"type":"int","logicalType":"date"}"#),
            (
                #"{"name":"a.b.R","type":"record","x":{"z":1,"y":[true]},"fields":[{"type":{"type":"enum","name":"E","namespace":"a.b","symbols":["A"]},"name":"e","order":"ignore","aliases":["f"]},{"name":"g","type":["null","E"],"default":null}]}"#,
                #"{"type":"record","namespace":"a.b","name":"R","fields":[{"name":"e","type":{"type":"enum","name":"E","symbols":["A"]},"aliases":["f"],"order":"ignore"},{"name":"g","type":["null","a.b.E"],"default":null}],"x":{"y":[true],"z":1}}"#
            ),
            (
                #"{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":{"type":"fixed","name":"F","namespace":"","size":1}}]}"#,
                #"{"type":"record","namespace":"n","name":"R","fields":[{"name":"a","type":{"type":"fixed","namespace":"","name":"F","size":1}}]}"#
            ),
        ])
    func canonicalText(written: String, canonical: String) throws {
        #expect(try SchemaGraph.parse(json: written).canonicalText == canonical)
        #expect(try SchemaGraph.parse(json: canonical).canonicalText == canonical)
    }

    @Test("a tree prints as its canonical text", arguments: [UInt64(4)])
    func treeText(seed: UInt64) throws {
        var maker = SchemaMaker(seed: seed)
        for _ in 0..<200 {
            let text = try AvroSchema.parse(json: maker.schema().json).json(pretty: false)
            #expect(try SchemaGraph.parse(json: text).canonicalText == text)
        }
    }

    @Test("types that are referred to again and again are no larger than their text")
    func sharing() throws {
        var text = "\"int\""
        for level in 0..<30 {
            text =
                #"{"type":"record","name":"R\#(level)","fields":[{"name":"a","type":\#(text)},"#
                + #"{"name":"b","type":"\#(level == 0 ? "int" : "R\(level - 1)")"}]}"#
        }
        let graph = try SchemaGraph.parse(json: text)
        #expect(graph.canonicalText == text)
        #expect(SchemaCompatibility.findings(reader: graph, writer: graph).isEmpty)
        #expect(try AvroSchema.parse(json: text).json(pretty: false) == text)
    }

    @Test("a default that is no value of its type is found")
    func defaults() throws {
        let schema =
            #"{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":"x"},{"name":"b","type":["null","int"],"default":3},{"name":"c","type":{"type":"enum","name":"E","symbols":["A"]},"default":"B"}]}"#
        #expect(try SchemaGraph.parse(json: schema).invalidDefaults() == ["R.a", "R.c"])
    }
}
