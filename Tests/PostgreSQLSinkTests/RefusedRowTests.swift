import DataPath
import Diagnostics
import PluginAPI
import Testing

extension PostgreSQLSinkTests {
    /// What others have added to a table refuses rows that streamplat finds in order.
    @Suite("Rows that the server refuses")
    struct RefusedRowTests {
        private static let faults = [
            ["ALTER TABLE sums ADD CHECK (total >= 0)"],
            [
                """
                CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                  IF NEW.total < 0 THEN RAISE EXCEPTION 'canary %', NEW.total; END IF; RETURN NEW; END $$
                """,
                "CREATE TRIGGER no BEFORE INSERT ON sums FOR EACH ROW EXECUTE FUNCTION no()",
            ],
            ["CREATE UNIQUE INDEX ON sums ((1 / (CASE WHEN total < 0 THEN 0 ELSE 1 END)), total)"],
            // Checked no earlier than at the commit.
            [
                """
                CREATE FUNCTION later() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                  IF NEW.total < 0 THEN RAISE check_violation; END IF; RETURN NULL; END $$
                """,
                """
                CREATE CONSTRAINT TRIGGER later AFTER INSERT OR UPDATE ON sums DEFERRABLE INITIALLY DEFERRED
                  FOR EACH ROW EXECUTE FUNCTION later()
                """,
            ],
        ]

        /// 0 to 999 by user, of which these are negative.
        private static let bad = [0, 333, 334, 999]
        private static func rows(_ range: Range<Int>) -> RecordBatch {
            Sample.rows(range.map { (0, "u\($0)", bad.contains($0) ? -1 - Int64($0) : Int64($0)) })
        }

        @Test("each is named with its reason and no value, and all others are written", arguments: faults)
        func sift(fault: [String]) throws {
            let schema = try TestSchema()
            let sink = try schema.open()
            let (table, second) = (Sample.table(), Sample.table("others"))
            try sink.apply(table)
            try sink.apply(second)
            for statement in fault { try schema.run(statement) }
            for start in stride(from: 0, to: 1000, by: 250) {
                try sink.write(Self.rows(start..<start + 250), to: table)
            }
            try sink.write(Self.rows(0..<3), to: second)
            try sink.flush()

            let batches = sink.takeRefused()
            #expect(batches.allSatisfy { $0.table == table && $0.refused.code == .postgresValue })
            let users = batches.flatMap { batch in
                batch.refused.rows.map { row -> String in
                    guard case .bytes(let names) = batch.rows.columns[1] else { return "" }
                    return String(decoding: names[row.row], as: UTF8.self)
                }
            }
            #expect(users == Self.bad.map { "u\($0)" })
            for row in batches.flatMap(\.refused.rows) {
                #expect(!row.reason.isEmpty && !row.reason.contains("canary"))
            }
            #expect(sink.takeRefused().isEmpty, "each is told once")
            #expect(try schema.rows("SELECT count(*), min(total) FROM sums") == [["996", "1"]])
            #expect(try schema.rows("SELECT count(*) FROM others") == [["3"]])
            // The next rows find nothing left over.
            try sink.write(Self.rows(1..<3), to: table)
            try sink.flush()
            #expect(sink.takeRefused().isEmpty)
            try sink.close()
        }

        @Test("an older value of a refused key stays, as if the refused one had never come")
        func order() throws {
            let schema = try TestSchema()
            let sink = try schema.open()
            let table = Sample.table()
            try sink.apply(table)
            try schema.run(Self.faults[0][0])
            try sink.write(Sample.rows([(0, "a", 1), (0, "b", 1), (0, "a", -5), (0, "b", 2), (0, nil, -1)]), to: table)
            try sink.flush()
            #expect(sink.takeRefused().flatMap(\.refused.rows).map(\.row) == [2, 4])
            #expect(try schema.rows("SELECT \"user\", total FROM sums ORDER BY 1") == [["a", "1"], ["b", "2"]])
            try sink.close()
        }

        @Test("the mark of a checkpoint is in the transaction that wrote the others")
        func mark() throws {
            let schema = try TestSchema()
            let sink = try schema.open()
            let table = Sample.table()
            try sink.apply(table)
            try schema.run(Self.faults[0][0])
            let standing = try sink.claim(
                WriterClaim(domain: "shop", environment: "local", writer: "a", epoch: 1, tables: [table]))
            try sink.write(Self.rows(333..<336), to: table)
            let number = CheckpointNumber(epoch: standing.epoch, sequence: 7)
            _ = try sink.commit(CheckpointMark(number: number, positions: "{}"))
            #expect(sink.takeRefused().flatMap(\.refused.rows).count == 2)
            #expect(try schema.rows("SELECT checkpoint FROM streamplat_writers") == [["7"]])
            #expect(try schema.rows("SELECT total FROM sums") == [["335"]])
            try sink.close()
        }
    }
}
