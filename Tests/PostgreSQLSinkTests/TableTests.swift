import DataPath
import Diagnostics
import Foundation
import PluginAPI
import Testing

extension PostgreSQLSinkTests {
    @Suite("Tables and rows")
    struct TableTests {
        @Test("apply creates schema, table and index, and twice does nothing; inspecting creates nothing")
        func applyTwice() throws {
            let schema = try TestSchema()
            let table = Sample.table()
            let looking = try schema.open(access: .inspect)
            #expect(try looking.plan(table) == .create)
            #expect(try looking.tables()?.count == 0)
            #expect(try schema.rows("SELECT 1 FROM pg_namespace WHERE nspname = $1", [schema.name]) == [])
            let sink = try schema.open()
            #expect(try schema.rows("SELECT 1 FROM pg_namespace WHERE nspname = $1", [schema.name]) == [])
            try sink.apply(table)
            #expect(try sink.plan(table) == .none)
            let before = try schema.rows("SELECT xmin, * FROM streamplat_tables")
            try sink.apply(table)
            #expect(try schema.rows("SELECT xmin, * FROM streamplat_tables") == before)
            #expect(
                try schema.rows("SELECT name, owner, content, key, fingerprint FROM streamplat_tables")
                    == [["sums", "shop", "aggregation", "window_start, user", "1"]])
            let index = try schema.rows(
                "SELECT indexdef FROM pg_indexes WHERE schemaname = $1 AND tablename = 'sums'", [schema.name])
            #expect(index.count == 1 && index[0][0].contains("NULLS NOT DISTINCT"))
        }

        @Test("the last row of a key stands, within a batch, across batches and flushes; nulls in a key are equal")
        func upsert() throws {
            let schema = try TestSchema()
            let table = Sample.table()
            let sink = try schema.open()
            try sink.apply(table)
            try sink.write(Sample.rows([(0, "a", 1), (0, nil, 1), (0, "a", 2), (0, "b", 1), (0, nil, 2)]), to: table)
            try sink.write(Sample.rows([(0, "b", 7)]), to: table)
            #expect(try schema.rows("SELECT count(*) FROM sums") == [["0"]], "nothing before the flush")
            try sink.flush()
            let read = "SELECT \"user\", total FROM sums ORDER BY 1"
            #expect(try schema.rows(read) == [["a", "2"], ["b", "7"], ["∅", "2"]])
            try sink.write(Sample.rows([(0, nil, 9), (0, "a", 0), (60_000, "a", 5)]), to: table)
            try sink.flush()
            #expect(try schema.rows(read) == [["a", "0"], ["a", "5"], ["b", "7"], ["∅", "9"]])
            #expect(try sink.tables()?.map { "\($0.name) \($0.rows)" } == ["sums 4"])
            try sink.close()
        }

        @Test("rows whose columns are all in the key are kept as they are")
        func onlyKey() throws {
            let schema = try TestSchema()
            let table = TableDefinition(
                name: "seen", content: .aggregation, columns: [ColumnSpec("id", .long)], key: ["id"], fingerprint: "1")
            let sink = try schema.open()
            try sink.apply(table)
            for _ in 0..<2 {
                let batch = RecordBatch(schema: BatchSchema(table.columns))
                batch.columns[0].append(Int64(7))
                batch.columns[0].append(Int64(7))
                batch.rowCount = 2
                try sink.write(batch, to: table)
                try sink.flush()
            }
            #expect(try schema.rows("SELECT * FROM seen") == [["7"]])
        }

        @Test("names with quotes, dots, capitals and words of SQL are names")
        func names() throws {
            let schema = try TestSchema()
            let table = TableDefinition(
                name: "select; \"DROP\"", content: .rawEvents,
                columns: [ColumnSpec("a.B\"c", .long), ColumnSpec("user", .string, isNullable: true)],
                key: ["a.B\"c"], fingerprint: "1")
            let sink = try schema.open()
            try sink.apply(table)
            #expect(try sink.plan(table) == .none)
            let batch = RecordBatch(schema: BatchSchema(table.columns))
            batch.columns[0].append(Int64(1))
            batch.columns[1].append("x")
            batch.rowCount = 1
            try sink.write(batch, to: table)
            try sink.flush()
            #expect(try sink.tables()?.map(\.rows) == [1])
        }

        @Test("a nullable column that is missing is added, the rows stay")
        func alter() throws {
            let schema = try TestSchema()
            let sink = try schema.open()
            try sink.apply(Sample.table())
            try sink.write(Sample.rows([(0, "a", 1)]), to: Sample.table())
            try sink.flush()
            let wider = Sample.table(more: [ColumnSpec("note", .string, isNullable: true)])
            #expect(try sink.plan(wider) == .alter(["add column note text"]))
            try sink.apply(wider)
            #expect(try sink.plan(wider) == .none)
            #expect(try schema.rows("SELECT total, note FROM sums") == [["1", "∅"]])
            // The column is no longer wanted: it stays, and nothing has to be done about it.
            #expect(try sink.plan(Sample.table()) == .none)
        }

        @Test("a required column that is no longer written may be null")
        func columnGone() throws {
            let schema = try TestSchema()
            let sink = try schema.open()
            try sink.apply(Sample.table(more: [ColumnSpec("extra", .long)]))
            let narrow = Sample.table(fingerprint: "2")
            #expect(try sink.plan(narrow) == .rebuild(["keep column extra, null from now on"]))
            try sink.apply(narrow)
            #expect(try sink.plan(narrow) == .none)
            try sink.write(Sample.rows([(0, "a", 1)]), to: narrow)
            try sink.flush()
            #expect(try schema.rows("SELECT total, extra FROM sums") == [["1", "∅"]])
        }

        @Test("a changed meaning empties the table, with new required columns")
        func rebuild() throws {
            let schema = try TestSchema()
            let sink = try schema.open()
            try sink.apply(Sample.table())
            try sink.write(Sample.rows([(0, "a", 1)]), to: Sample.table())
            try sink.flush()
            let changed = Sample.table(fingerprint: "2", more: [ColumnSpec("average", .double)])
            #expect(try sink.plan(changed) == .rebuild(["add column average double precision"]))
            #expect(try schema.rows("SELECT count(*) FROM sums") == [["1"]])
            try sink.apply(changed)
            #expect(try schema.rows("SELECT count(*) FROM sums") == [["0"]])
            #expect(try sink.plan(changed) == .none)
        }

        private func refusal(_ change: TableChange) -> String? {
            if case .refuse(let reason, let hint) = change, !hint.isEmpty { reason } else { nil }
        }

        @Test("what is not ours is refused and not touched")
        func foreign() throws {
            let schema = try TestSchema()
            let sink = try schema.open()
            try sink.apply(Sample.table("other"))
            try schema.run("CREATE TABLE sums (x integer)")
            try schema.run("CREATE VIEW seen AS SELECT 1 AS x")
            #expect(refusal(try sink.plan(Sample.table()))?.contains("did not create") == true)
            #expect(refusal(try sink.plan(Sample.table("seen")))?.contains("not an ordinary table") == true)
            #expect(refusal(try sink.plan(Sample.table("other", owner: "bank")))?.contains("'shop'") == true)
            #expect(refusal(try sink.plan(Sample.table("streamplat_tables"))) != nil)
            #expect(refusal(try sink.plan(Sample.table(String(repeating: "n", count: 64))))?.contains("63") == true)
            let error = #expect(throws: PipelineError.self) { try sink.apply(Sample.table()) }
            #expect(error?.code == .tableRefused)
            #expect(
                try schema.rows("SELECT attname FROM pg_attribute WHERE attrelid = 'sums'::regclass AND attnum > 0")
                    == [["x"]])
        }

        @Test("another key or another type of a column is refused")
        func otherShape() throws {
            let schema = try TestSchema()
            let sink = try schema.open()
            try sink.apply(Sample.table())
            var otherKey = Sample.table(fingerprint: "2")
            otherKey.key = ["window_start"]
            #expect(refusal(try sink.plan(otherKey))?.contains("(window_start, user) to (window_start)") == true)
            var otherType = Sample.table(fingerprint: "2")
            otherType.columns[2].type = .decimal(precision: 10, scale: 2)
            #expect(
                refusal(try sink.plan(otherType))
                    == "column 'total' of table 'sums' is bigint and would become numeric(10,2)")
        }

        @Test("more rows than the buffer holds are committed early")
        func smallBuffer() throws {
            let schema = try TestSchema()
            let sink = try schema.open(["buffer_bytes": .bytes(1_000)])
            try sink.apply(Sample.table())
            for batch in 0..<10 {
                let rows = (0..<10).map { (Int64(batch * 10 + $0), String?("u"), Int64(1)) }
                try sink.write(Sample.rows(rows), to: Sample.table())
            }
            let early = try schema.rows("SELECT count(*) FROM sums")[0][0]
            #expect((Int(early) ?? 0) >= 50 && (Int(early) ?? 0) < 100)
            try sink.flush()
            #expect(try schema.rows("SELECT count(*) FROM sums") == [["100"]])
        }

        @Test("200,000 rows of two tables are written in one flush")
        func many() throws {
            let schema = try TestSchema()
            let sink = try schema.open()
            let tables = [Sample.table("one"), Sample.table("two")]
            for table in tables { try sink.apply(table) }
            let batch = Sample.rows((0..<5_000).map { (Int64($0), $0 % 7 == 0 ? nil : "user-\($0 % 100)", 1) })
            for round in 0..<20 {
                if case .int64(let starts) = batch.columns[0] {
                    for row in 0..<5_000 { starts.values[row] = Int64(round * 5_000 + row) * 1000 }
                }
                for table in tables { try sink.write(batch, to: table) }
            }
            try sink.flush()
            #expect(
                try schema.rows("SELECT count(*), sum(total), max(window_start) FROM one")
                    == [["100000", "100000", "1970-01-02 03:46:39+00"]])
            #expect(try sink.tables()?.map(\.rows) == [100_000, 100_000])
            try sink.close()
        }
    }
}
