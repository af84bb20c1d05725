import DataPath
import Diagnostics
import Foundation
import PluginAPI
import SQLiteClient
import SQLiteSink
import Testing

@Suite("Writers of a SQLite sink")
struct SQLiteWriterTests {
    private final class Scratch {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("sqlite-writers-\(UUID().uuidString)")

        deinit { try? FileManager.default.removeItem(at: root) }

        func open() throws -> any Sink {
            try SQLiteSinkPlugin().open(
                OptionValues(["path": .string("results.db"), "busy_timeout": .durationMilliseconds(10)]),
                PluginContext(projectRoot: root.path, notify: { _ in }))
        }

        func cell(_ sql: String) throws -> [QueryResult.Cell] { try open().query(sql)?.rows.first ?? [] }
    }

    private static let table: TableDefinition = {
        var table = TableDefinition(
            name: "daily", content: .aggregation, columns: [ColumnSpec("day", .long), ColumnSpec("n", .long)],
            key: ["day"], fingerprint: "f1")
        table.owner = "shop"
        return table
    }()

    private func rows(_ values: [(Int64, Int64)]) -> RecordBatch {
        let batch = RecordBatch(schema: BatchSchema(Self.table.columns))
        for value in values {
            if case .int64(let days) = batch.columns[0] { days.append(value.0) }
            if case .int64(let counts) = batch.columns[1] { counts.append(value.1) }
        }
        batch.rowCount = values.count
        return batch
    }

    private func claim(_ writer: String, epoch: UInt64 = 1, domain: String = "shop") -> WriterClaim {
        WriterClaim(domain: domain, environment: "local", writer: writer, epoch: epoch, tables: [Self.table])
    }

    private func mark(_ epoch: UInt64, _ sequence: UInt64) -> CheckpointMark {
        CheckpointMark(
            number: CheckpointNumber(epoch: epoch, sequence: sequence), positions: "{\"daily\":{\"t\":{\"0\":7}}}")
    }

    @Test("each run takes a higher epoch; the same run keeps its own, or the higher one that it asks for")
    func epochs() throws {
        let scratch = Scratch()
        let sink = try scratch.open()
        #expect(try sink.claim(claim("a")).epoch == 1)
        #expect(try sink.claim(claim("a")).epoch == 1)
        #expect(try sink.claim(claim("b")).epoch == 2)
        #expect(try sink.claim(claim("b", epoch: 9)).epoch == 9)
        #expect(try sink.claim(claim("c", epoch: 4)).epoch == 10)
        #expect(try sink.claim(claim("d", domain: "other")).epoch == 1, "another domain has writers of its own")
    }

    @Test("a run that was replaced cannot write, commit or flush any more; what it wrote before stays")
    func fenced() throws {
        let scratch = Scratch()
        let old = try scratch.open()
        try old.apply(Self.table)
        _ = try old.claim(claim("old"))
        try old.write(rows([(1, 1)]), to: Self.table)
        try old.flush()
        let new = try scratch.open()
        #expect(try new.claim(claim("new")).epoch == 2)
        try old.write(rows([(1, 5), (2, 5)]), to: Self.table)
        let error = #expect(throws: PipelineError.self) { try old.flush() }
        #expect(error?.code == .writerReplaced && error?.retry == .never)
        #expect(throws: PipelineError.self) { _ = try old.commit(mark(1, 1)) }
        try new.write(rows([(2, 2)]), to: Self.table)
        try new.flush()
        #expect(try scratch.cell("SELECT sum(n), count(*) FROM daily") == [.integer(3), .integer(2)])
    }

    @Test("while another program writes, a run keeps its rows and a successor waits; rows and mark come in one")
    func oneTransaction() throws {
        let scratch = Scratch()
        let old = try scratch.open()
        try old.apply(Self.table)
        _ = try old.claim(claim("old"))
        try old.write(rows([(1, 1)]), to: Self.table)
        let new = try scratch.open()
        let other = try SQLiteConnection(path: scratch.root.appendingPathComponent("results.db").path)
        try other.transaction {
            for action in [
                { _ = try new.claim(claim("new")) }, { try old.flush() }, { _ = try old.commit(mark(1, 3)) },
            ] {
                let busy = #expect(throws: PipelineError.self) { try action() }
                #expect(busy?.retry == .backoff)
            }
        }
        #expect(
            try scratch.cell("SELECT count(*), (SELECT checkpoint FROM _streamplat_writers) FROM daily")
                == [.integer(0), .integer(0)])
        _ = try old.commit(mark(1, 3))
        #expect(
            try scratch.cell("SELECT n, checkpoint_epoch, checkpoint, positions FROM daily, _streamplat_writers")
                == [.integer(1), .integer(1), .integer(3), .text("{\"daily\":{\"t\":{\"0\":7}}}")])
        let standing = try new.claim(claim("new"))
        #expect(standing.epoch == 2 && standing.committed == CheckpointNumber(epoch: 1, sequence: 3))
    }

    @Test("an apply that empties a table ends the runs of the domain, also those that go on from another checkpoint")
    func rebuilt() throws {
        let scratch = Scratch()
        let run = try scratch.open()
        try run.apply(Self.table)
        _ = try run.claim(claim("a"))
        _ = try run.commit(mark(1, 3))
        var changed = Self.table
        changed.fingerprint = "f2"
        try scratch.open().apply(changed)
        try run.write(rows([(1, 1)]), to: Self.table)
        #expect(throws: PipelineError.self) { try run.flush() }
        let standing = try scratch.open().claim(claim("b"))
        #expect(standing.epoch == 3 && standing.committed == CheckpointNumber.none)
    }
}
