import ConfigTree
import DataPath
import Diagnostics
import FileSink
import Foundation
import PluginAPI
import Testing

/// A folder of one test's own and the sink in it.
private final class Scratch {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("file-sink-\(UUID().uuidString)")

    deinit { try? FileManager.default.removeItem(at: root) }

    func open(_ format: String = "ndjson", _ access: PluginContext.Access = .change) throws -> any Sink {
        var findings = Diagnostics()
        let place = SourceLocation(file: "platform.yaml", line: 1, column: 1)
        let entry = ConfigMapping.Entry(
            key: "format", keyLocation: place,
            node: ConfigNode(.scalar(ConfigScalar(format)), at: place, layer: ConfigLayer("platform")))
        let node = ConfigNode(.mapping(ConfigMapping([entry])), at: place, layer: ConfigLayer("platform"))
        let options = FileSinkPlugin.spec.parse(node, path: "sinks.primary.file", at: place, into: &findings)
        #expect(findings.items.isEmpty)
        return try FileSinkPlugin().open(
            options, PluginContext(projectRoot: root.path, access: access, notify: { _ in }))
    }

    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: root.path + "/.streamplat/results")) ?? []).sorted()
    }

    func text(_ name: String) throws -> String {
        String(
            decoding: try Data(contentsOf: root.appendingPathComponent(".streamplat/results/\(name)")), as: UTF8.self)
    }

    func write(_ text: String, to name: String) throws {
        let file = root.appendingPathComponent(".streamplat/results/\(name)")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(at: root.appendingPathComponent(".streamplat/results/\(name)"))
    }
}

@Suite("Sink plugin file")
struct FileSinkTests {
    fileprivate static func table(
        _ columns: [ColumnSpec] = [ColumnSpec("day", .date), ColumnSpec("n", .long)], owner: String = "shop",
        fingerprint: String = "f1"
    ) -> TableDefinition {
        var table = TableDefinition(
            name: "daily", content: .aggregation, columns: columns, key: ["day"], fingerprint: fingerprint)
        table.owner = owner
        return table
    }

    /// One row: a day and a number, whatever the columns are called.
    fileprivate func write(_ number: Int64, to table: TableDefinition, _ sink: any Sink, flushes: Bool = true) throws {
        let batch = RecordBatch(schema: BatchSchema(table.columns))
        for index in table.columns.indices {
            if case .int64(let vector) = batch.columns[index] { vector.append(number) }
        }
        batch.rowCount = 1
        try sink.write(batch, to: table)
        if flushes { try sink.flush() }
    }

    @Test("looking creates nothing, and nothing can be changed while looking", arguments: ["ndjson", "csv"])
    func inspect(_ format: String) throws {
        let scratch = Scratch()
        let sink = try scratch.open(format, .inspect)
        #expect(try sink.plan(Self.table()) == .create)
        #expect(throws: PipelineError.self) { try sink.apply(Self.table()) }
        #expect(throws: PipelineError.self) { try write(1, to: Self.table(), sink) }
        #expect(!FileManager.default.fileExists(atPath: scratch.root.path))
    }

    @Test("apply makes the file and its sidecar; a second plan finds nothing to do", arguments: ["ndjson", "csv"])
    func create(_ format: String) throws {
        let scratch = Scratch()
        try scratch.open(format).apply(Self.table())
        #expect(scratch.names == ["daily.\(format)", "daily.streamplat.json"])
        #expect(try scratch.text("daily.\(format)") == (format == "csv" ? "day,n\n" : ""))
        #expect(try scratch.open(format).plan(Self.table()) == .none)
        let said = try JSONSerialization.jsonObject(with: Data(scratch.text("daily.streamplat.json").utf8))
        let sidecar = try #require(said as? [String: Any])
        #expect(sidecar["domain"] as? String == "shop" && sidecar["fingerprint"] as? String == "f1")
        #expect((sidecar["columns"] as? [[String: Any]])?.map { $0["name"] as? String } == ["day", "n"])
    }

    @Test("a changed aggregation keeps the old file under another name and begins a new one")
    func changed() throws {
        let scratch = Scratch()
        let sink = try scratch.open()
        try sink.apply(Self.table())
        try write(1, to: Self.table(), sink)
        for (number, fingerprint) in [(1, "f2"), (2, "f3")] {
            let table = Self.table(fingerprint: fingerprint)
            #expect(try sink.plan(table) == .rebuild(["keep daily.ndjson as daily.\(number).ndjson"]))
            try sink.apply(table)
            #expect(try sink.plan(table) == .none)
            try write(Int64(number + 1), to: table, sink)
        }
        #expect(scratch.names == ["daily.1.ndjson", "daily.2.ndjson", "daily.ndjson", "daily.streamplat.json"])
        #expect(try scratch.text("daily.1.ndjson").contains("\"n\":1"))
        #expect(try scratch.text("daily.2.ndjson").contains("\"n\":2"))
        #expect(try scratch.text("daily.ndjson").contains("\"n\":3"))
    }

    @Test("changed columns and another format are named in the plan")
    func columns() throws {
        let scratch = Scratch()
        try scratch.open().apply(Self.table())
        let table = Self.table([ColumnSpec("day", .timestamp), ColumnSpec("total", .decimal(precision: 38, scale: 2))])
        #expect(
            try scratch.open("csv").plan(table)
                == .rebuild([
                    "write csv instead of ndjson", "column day date → timestamp", "add column total decimal(38,2)",
                    "drop column n", "keep daily.ndjson as daily.1.ndjson",
                ]))
    }

    @Test("a file without a sidecar, of another domain, or with another header is refused and left as it is")
    func refused() throws {
        let scratch = Scratch()
        try scratch.write("mine\n", to: "daily.csv")
        func reason(_ table: TableDefinition) throws -> String? {
            let sink = try scratch.open("csv")
            guard case .refuse(let reason, let hint) = try sink.plan(table) else { return nil }
            try sink.apply(table)
            return "\(reason); \(hint)"
        }
        #expect(try reason(Self.table())?.contains("daily.streamplat.json") == true)
        #expect(try scratch.text("daily.csv") == "mine\n" && scratch.names == ["daily.csv"])
        try scratch.remove("daily.csv")
        try scratch.open("csv").apply(Self.table())
        #expect(try reason(Self.table(owner: "other"))?.contains("domain 'shop'") == true)
        try scratch.write("n,day\n", to: "daily.csv")
        #expect(try reason(Self.table())?.contains("'n,day' instead of 'day,n'") == true)
        #expect(try scratch.text("daily.csv") == "n,day\n")
    }

    @Test(
        "a sidecar that says nothing is refused",
        arguments: ["", "{", "[]", #"{"version":2}"#, #"{"version":1,"domain":"shop"}"#])
    func brokenSidecar(_ text: String) throws {
        let scratch = Scratch()
        try scratch.write(text, to: "daily.streamplat.json")
        guard case .refuse(let reason, _) = try scratch.open().plan(Self.table()) else {
            Issue.record("not refused")
            return
        }
        #expect(reason.contains("daily.streamplat.json"))
    }

    @Test("a file that was taken away begins anew, with its header")
    func rotated() throws {
        let scratch = Scratch()
        try scratch.open("csv").apply(Self.table())
        try scratch.remove("daily.csv")
        let sink = try scratch.open("csv")
        #expect(try sink.plan(Self.table()) == .none)
        try write(0, to: Self.table(), sink)
        #expect(try scratch.text("daily.csv") == "day,n\n1970-01-01,0\n")
    }
}

extension FileSinkTests {
    private func claim(_ epoch: UInt64 = 1) -> WriterClaim {
        WriterClaim(domain: "shop", environment: "local", writer: "w", epoch: epoch, tables: [Self.table()])
    }

    private static let mark = CheckpointMark(number: CheckpointNumber(epoch: 1, sequence: 1), positions: "{}")

    @Test("a run that goes on from a checkpoint finds the file as it was then", arguments: ["ndjson", "csv"])
    func restore(_ format: String) throws {
        let scratch = Scratch()
        try scratch.open(format).apply(Self.table())
        let first = try scratch.open(format)
        #expect(try first.claim(claim(7)).epoch == 7)
        try write(1, to: Self.table(), first)
        let states = try first.commit(Self.mark)
        let then = try scratch.text("daily.\(format)")
        try write(2, to: Self.table(), first)
        #expect(try scratch.text("daily.\(format)") != then)
        try first.close()
        let second = try scratch.open(format)
        _ = try second.claim(claim())
        #expect(try second.restore(states) == states)
        #expect(try scratch.text("daily.\(format)") == then)
        try write(2, to: Self.table(), second)
        #expect(try scratch.text("daily.\(format)").hasPrefix(then))
    }

    @Test("a file that others have shortened or removed since is gone on with as it is")
    func shortened() throws {
        let scratch = Scratch()
        try scratch.open().apply(Self.table())
        let first = try scratch.open()
        _ = try first.claim(claim())
        try write(1, to: Self.table(), first)
        let states = try first.commit(Self.mark)
        try first.close()
        try scratch.remove("daily.ndjson")
        let second = try scratch.open()
        _ = try second.claim(claim())
        let now = try second.restore(states)
        #expect(now.count == 1 && now != states, "the checkpoint is to be written again")
        try write(2, to: Self.table(), second)
        #expect(try scratch.text("daily.ndjson").split(separator: "\n").count == 1)
    }

    @Test("two runs cannot write one file")
    func locked() throws {
        let scratch = Scratch()
        try scratch.open().apply(Self.table())
        let first = try scratch.open()
        _ = try first.claim(claim())
        let error = #expect(throws: PipelineError.self) { _ = try scratch.open().claim(claim()) }
        #expect(error?.code == .fileBusy && error?.hint != nil)
        try first.close()
        _ = try scratch.open().claim(claim())
    }

    @Test("of a run that failed what was not flushed is not written, and another may write the file")
    func abandoned() throws {
        let scratch = Scratch()
        try scratch.open().apply(Self.table())
        let sink = try scratch.open()
        _ = try sink.claim(claim())
        try write(1, to: Self.table(), sink)
        let then = try scratch.text("daily.ndjson")
        try write(2, to: Self.table(), sink, flushes: false)
        try sink.abandon()
        #expect(try scratch.text("daily.ndjson") == then)
        let next = try scratch.open()
        _ = try next.claim(claim())
        try next.close()
        #expect(try scratch.text("daily.ndjson") == then)
    }

    @Test("a full disk fails the end of a run, not that of one that failed; either way another may write the file")
    func fullDisk() throws {
        let scratch = Scratch()
        try scratch.write("", to: "other")
        try FileManager.default.createSymbolicLink(
            atPath: scratch.root.appendingPathComponent(".streamplat/results/daily.ndjson").path,
            withDestinationPath: "/dev/full")
        let first = try scratch.open()
        _ = try first.claim(claim())
        try write(1, to: Self.table(), first, flushes: false)
        let error = #expect(throws: PipelineError.self) { try first.close() }
        #expect(error?.hint?.contains("free some space") == true)
        let second = try scratch.open()
        _ = try second.claim(claim())
        try write(1, to: Self.table(), second, flushes: false)
        #expect(throws: Never.self) { try second.abandon() }
        let third = try scratch.open()
        _ = try third.claim(claim())
        try third.abandon()
    }
}
