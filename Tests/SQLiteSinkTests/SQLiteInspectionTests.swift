import ConfigTree
import DataPath
import Diagnostics
import Foundation
import PluginAPI
import SQLiteClient
import SQLiteSink
import Testing

@Suite("Looking into a SQLite sink")
struct SQLiteInspectionTests {
    private final class Scratch {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("sqlite sink %3f#\(UUID().uuidString)")

        init() throws { try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(at: root) }

        func open(_ access: PluginContext.Access) throws -> any Sink {
            var findings = Diagnostics()
            let options = SQLiteSinkPlugin.spec.parse(
                nil, path: "sinks.primary.sqlite", at: SourceLocation(file: "platform.yaml", line: 1, column: 1),
                into: &findings)
            return try SQLiteSinkPlugin().open(
                options, PluginContext(projectRoot: root.path, access: access, notify: { _ in }))
        }

        var database: String { root.path + "/.streamplat/results.db" }

        /// Every file with its size.
        var files: [String] {
            let names = FileManager.default.enumerator(atPath: root.path)?.allObjects as? [String] ?? []
            return names.sorted().map { name in
                let size = try? FileManager.default.attributesOfItem(atPath: "\(root.path)/\(name)")[.size] as? Int
                return "\(name) \(size ?? -1)"
            }
        }
    }

    private static var table: TableDefinition {
        var table = TableDefinition(
            name: "daily", content: .aggregation, columns: [ColumnSpec("day", .date), ColumnSpec("n", .long)],
            key: ["day"], fingerprint: "f1")
        table.owner = "shop"
        return table
    }

    @Test("a database that is not there has no tables, is not made, and cannot be queried: exit code 3")
    func missing() throws {
        let scratch = try Scratch()
        let sink = try scratch.open(.inspect)
        #expect(try sink.plan(Self.table) == .create)
        for look in [{ _ = try sink.tables() }, { _ = try sink.query("select 1") }] {
            let error = #expect(throws: PipelineError.self) { try look() }
            #expect(error?.code == .sinkMissing && error?.exitCode == 3 && error?.hint?.contains("apply") == true)
        }
        #expect(throws: PipelineError.self) { try sink.apply(Self.table) }
        #expect(scratch.files.isEmpty)
    }

    @Test("looking leaves the files as they are, whether the database is closed or in use")
    func traceless() throws {
        let scratch = try Scratch()
        do {
            let writer = try scratch.open(.change)
            try writer.apply(Self.table)
            let inUse = scratch.files
            #expect(inUse.contains { $0.contains("results.db-wal") })
            let sink = try scratch.open(.inspect)
            #expect(try sink.plan(Self.table) == .none)
            #expect(try sink.tables()?.map(\.name) == ["daily"])
            #expect(scratch.files == inUse)
            try writer.close()
        }
        let closed = scratch.files
        #expect(closed.map { $0.hasPrefix(".streamplat/results.db ") } == [false, true])
        let sink = try scratch.open(.inspect)
        #expect(try sink.plan(Self.table) == .none)
        #expect(try sink.query("select count(*) as n from daily")?.rows == [[.integer(0)]])
        #expect(scratch.files == closed)
    }

    @Test("what a writer has committed is seen while it is still open")
    func current() throws {
        let scratch = try Scratch()
        let writer = try scratch.open(.change)
        try writer.apply(Self.table)
        let other = try SQLiteConnection(path: scratch.database)
        try other.execute("INSERT INTO daily VALUES ('2024-05-06', 7)")
        #expect(try scratch.open(.inspect).query("select n from daily")?.rows == [[.integer(7)]])
    }

    @Test("a database of somebody else has none of our tables, and theirs are refused")
    func foreign() throws {
        let scratch = try Scratch()
        try FileManager.default.createDirectory(
            atPath: scratch.root.path + "/.streamplat", withIntermediateDirectories: true)
        do {
            let theirs = try SQLiteConnection(path: scratch.database)
            try theirs.execute("CREATE TABLE daily (mine TEXT)")
        }
        let sink = try scratch.open(.inspect)
        #expect(try sink.tables()?.isEmpty == true)
        guard case .refuse = try sink.plan(Self.table) else {
            Issue.record("not refused")
            return
        }
    }

    @Test("only queries are allowed, and a file that is no database is named")
    func refused() throws {
        let scratch = try Scratch()
        try scratch.open(.change).apply(Self.table)
        let sink = try scratch.open(.inspect)
        let written = #expect(throws: PipelineError.self) { try sink.query("delete from daily") }
        #expect(written?.code == .queryFailed)
        try Data("not a database, but long enough to be looked at".utf8).write(to: URL(filePath: scratch.database))
        let error = #expect(throws: PipelineError.self) { try sink.tables() }
        #expect(error?.code == .sinkStorage && error?.exitCode == 3)
    }

    @Test("a file that is no database is not healthy")
    func damagedHealth() throws {
        let scratch = try Scratch()
        try FileManager.default.createDirectory(
            atPath: scratch.root.path + "/.streamplat", withIntermediateDirectories: true)
        try Data(repeating: 0x6A, count: 4096).write(to: URL(fileURLWithPath: scratch.database))
        #expect(throws: PipelineError.self) { try scratch.open(.inspect).health() }
    }
}
