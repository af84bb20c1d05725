import DataPath
import PluginAPI
import Testing

extension PostgreSQLSinkTests {
    @Suite("Rows of sessions")
    struct SessionRowTests {
        static func table(isNullable: Bool) -> TableDefinition {
            var table = TableDefinition(
                name: "visits", content: .aggregation,
                columns: [
                    ColumnSpec("window_start", .timestamp), ColumnSpec("window_end", .timestamp),
                    ColumnSpec("user", .string, isNullable: isNullable), ColumnSpec("n", .long),
                ], key: ["user", "window_start", "window_end"], fingerprint: "1")
            table.replacesInside = true
            return table
        }

        static func rows(_ rows: [(start: Int64, end: Int64, user: String?, n: Int64)]) -> RecordBatch {
            let batch = RecordBatch(schema: BatchSchema(table(isNullable: true).columns))
            for row in rows {
                batch.columns[0].append(row.start * 60_000)
                batch.columns[1].append(row.end * 60_000)
                if let user = row.user { batch.columns[2].append(user) } else { batch.columns[2].appendNull() }
                batch.columns[3].append(row.n)
            }
            batch.rowCount = rows.count
            return batch
        }

        @Test(
            "a row replaces those of its group inside its window, in one flush or over several, and no others",
            arguments: [false, true])
        func replaces(isNullable: Bool) throws {
            let schema = try TestSchema()
            let table = Self.table(isNullable: isNullable)
            let sink = try schema.open()
            try sink.apply(table)
            let other: String? = isNullable ? nil : "none"
            func read() throws -> [[String]] {
                try schema.rows(
                    """
                    SELECT extract(epoch FROM window_start)::int / 60, extract(epoch FROM window_end)::int / 60,
                      coalesce("user", 'none'), n FROM visits ORDER BY 3, 1
                    """)
            }
            try sink.write(
                Self.rows([(0, 5, "a", 1), (10, 15, "a", 2), (2, 9, other, 3), (20, 25, "a", 4)]), to: table)
            try sink.write(Self.rows([(0, 6, "a", 5)]), to: table)
            try sink.flush()
            #expect(
                try read() == [
                    ["0", "6", "a", "5"], ["10", "15", "a", "2"], ["20", "25", "a", "4"], ["2", "9", "none", "3"],
                ])
            // Joins the first two; what only overlaps (none here) or belongs to others stays.
            try sink.write(Self.rows([(0, 15, "a", 7), (2, 12, other, 8)]), to: table)
            try sink.flush()
            #expect(try read() == [["0", "15", "a", "7"], ["20", "25", "a", "4"], ["2", "12", "none", "8"]])
            // As after a crash: an older row comes once more, then the session again.
            try sink.write(Self.rows([(10, 15, "a", 2), (0, 15, "a", 7)]), to: table)
            try sink.flush()
            #expect(try read() == [["0", "15", "a", "7"], ["20", "25", "a", "4"], ["2", "12", "none", "8"]])
            try sink.close()
        }

        @Test("a row that is refused replaces nothing inside its window; the others of the flush do")
        func refused() throws {
            let schema = try TestSchema()
            let table = Self.table(isNullable: true)
            let sink = try schema.open()
            try sink.apply(table)
            try schema.run("ALTER TABLE visits ADD CHECK (n >= 0)")
            try sink.write(Self.rows([(0, 5, "a", 1), (10, 15, "a", 2), (0, 5, nil, 3), (10, 15, nil, 4)]), to: table)
            try sink.flush()
            try sink.write(Self.rows([(0, 15, "a", -5), (0, 15, nil, 6)]), to: table)
            try sink.flush()
            #expect(sink.takeRefused().map { $0.refused.rows.map(\.row) } == [[0]])
            #expect(
                try schema.rows("SELECT coalesce(\"user\", 'none'), n FROM visits ORDER BY 1, 2")
                    == [["a", "1"], ["a", "2"], ["none", "6"]])
            try sink.close()
        }
    }
}
