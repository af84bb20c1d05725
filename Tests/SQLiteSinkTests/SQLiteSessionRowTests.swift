import ConfigTree
import DataPath
import Diagnostics
import Foundation
import PluginAPI
import SQLiteSink
import Testing

@Suite("Rows of sessions in SQLite")
struct SQLiteSessionRowTests {
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
            for (column, value) in [(0, row.start * 60_000), (1, row.end * 60_000), (3, row.n)] {
                if case .int64(let vector) = batch.columns[column] { vector.append(value) }
            }
            if case .bytes(let vector) = batch.columns[2] {
                if let user = row.user { vector.append(user) } else { vector.appendNull() }
            }
        }
        batch.rowCount = rows.count
        return batch
    }

    @Test(
        "a row replaces those of its group inside its window, in one flush or over several, and no others",
        arguments: [false, true])
    func replaces(isNullable: Bool) throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("sessions \(UUID().uuidString)")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: root) }
        var findings = Diagnostics()
        let options = SQLiteSinkPlugin.spec.parse(
            nil, path: "sinks.primary.sqlite", at: SourceLocation(file: "platform.yaml", line: 1, column: 1),
            into: &findings)
        let sink = try SQLiteSinkPlugin().open(
            options, PluginContext(projectRoot: root.path, access: .change, notify: { _ in }))
        let table = Self.table(isNullable: isNullable)
        try sink.apply(table)
        let other: String? = isNullable ? nil : "none"
        func read() throws -> [String] {
            let result = try sink.query(
                """
                SELECT (unixepoch(window_start) / 60) || '-' || (unixepoch(window_end) / 60) || ' ' || ifnull(user, 'none')
                  || ' ' || n FROM visits ORDER BY ifnull(user, 'none'), window_start
                """)
            return (result?.rows ?? []).map { if case .text(let text) = $0[0] { text } else { "" } }
        }
        try sink.write(Self.rows([(0, 5, "a", 1), (10, 15, "a", 2), (2, 9, other, 3), (20, 25, "a", 4)]), to: table)
        try sink.write(Self.rows([(0, 6, "a", 5)]), to: table)
        #expect(try read() == ["0-6 a 5", "10-15 a 2", "20-25 a 4", "2-9 none 3"])
        try sink.write(Self.rows([(0, 15, "a", 7), (2, 12, other, 8)]), to: table)
        #expect(try read() == ["0-15 a 7", "20-25 a 4", "2-12 none 8"])
        // In one flush, whichever way round the key has them: a session that began later joins, and begins it anew.
        try sink.write(Self.rows([(34, 40, "a", 1), (33, 38, other, 1)]), to: table)
        try sink.write(Self.rows([(30, 40, "a", 2), (33, 39, other, 2), (30, 39, other, 3)]), to: table)
        #expect(try read() == ["0-15 a 7", "20-25 a 4", "30-40 a 2", "2-12 none 8", "30-39 none 3"])
        try sink.write(Self.rows([(20, 40, "a", 4), (30, 41, other, 3)]), to: table)
        #expect(try read() == ["0-15 a 7", "20-40 a 4", "2-12 none 8", "30-41 none 3"])
        // As after a crash: an older row comes once more, then the session again.
        try sink.write(Self.rows([(10, 15, "a", 2), (0, 15, "a", 7)]), to: table)
        #expect(try read() == ["0-15 a 7", "20-40 a 4", "2-12 none 8", "30-41 none 3"])
        try sink.close()
    }
}
