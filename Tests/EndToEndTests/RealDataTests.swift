import Foundation
import Testing

extension EndToEnd {
    @Suite("Real data against DuckDB")
    struct RealDataTests {
        /// All that was said, without the commas that group the digits of numbers.
        private static func digits(_ outcome: Outcome) -> String {
            (outcome.output + outcome.errors).replacingOccurrences(of: ",", with: "")
        }

        @Test("CDNOW: 69,659 purchases, daily, weekly and sliding, every row of every table")
        func cdnow() async throws {
            let project = try TestProject()
            let file = try await project.dataSet("cdnow")
            try await project.streamplat("apply", "cdnow", "--yes")
            let ingested = try await project.streamplat(
                "ingest", "purchase", file, "--domain", "cdnow", "--delimiter", "whitespace",
                "--timestamp-format", "%Y%m%d", "--map", "date=timestamp", "--map", "number_of_cds=quantity",
                "--map", "dollar_value=amount")
            #expect(Self.digits(ingested).contains("69659"), "\(ingested)")
            try await project.streamplat("run", "cdnow", "--until-idle", "--close-windows")
            try await project.judge("cdnow", "--domain", "domains/cdnow.yaml", "--db", ".streamplat/results.db")
        }

        @Test("CDNOW without its header line gives the same tables")
        func cdnowWithoutHeader() async throws {
            let project = try TestProject()
            let text = try String(contentsOfFile: try await project.dataSet("cdnow"), encoding: .utf8)
            // A line ends in CR LF, which is one Character.
            try project.write(
                String(text[text.index(after: try #require(text.firstIndex(of: "\r\n")))...]), to: "orders.txt")
            try await project.streamplat("apply", "cdnow", "--yes")
            try await project.streamplat(
                "ingest", "purchase", "orders.txt", "--domain", "cdnow", "--format", "csv", "--delimiter", "whitespace",
                "--no-header", "--columns", "customer_id,timestamp,quantity,amount", "--timestamp-format", "%Y%m%d")
            try await project.streamplat("run", "cdnow", "--until-idle", "--close-windows")
            try await project.judge("cdnow", "--domain", "domains/cdnow.yaml", "--db", ".streamplat/results.db")
        }

        @Test("Clickstream: 31,106 clicks, gzipped CSV, per 5 minutes and sliding, every row of every table")
        func clickstream() async throws {
            let project = try TestProject()
            let file = try await project.dataSet("clickstream")
            try await project.streamplat("apply", "clickstream", "--yes")
            let ingested = try await project.streamplat(
                "ingest", "click", file, "--domain", "clickstream", "--timestamp-format", "%Y-%m-%d %H:%M:%S")
            #expect(Self.digits(ingested).contains("31106"), "\(ingested)")
            try await project.streamplat("run", "clickstream", "--until-idle", "--close-windows")
            try await project.judge(
                "clickstream", "--domain", "domains/clickstream.yaml", "--db", ".streamplat/results.db")
        }

        @Test(
            "The judge sees a single changed, missing or added row",
            arguments: [
                "UPDATE clicks_sliding SET users = users + 1 WHERE window_start = (SELECT max(window_start) FROM clicks_sliding)",
                "DELETE FROM clicks_per_5_minutes WHERE window_start = (SELECT min(window_start) FROM clicks_per_5_minutes)",
                "INSERT INTO clicks_per_5_minutes SELECT '2030-01-01 00:00:00.000', window_end, platform, clicks, users "
                    + "FROM clicks_per_5_minutes LIMIT 1",
            ])
        func judgeIsAwake(_ change: String) async throws {
            let project = try TestProject()
            let file = try await project.dataSet("clickstream")
            try await project.streamplat("apply", "clickstream", "--yes")
            try await project.streamplat(
                "ingest", "click", file, "--domain", "clickstream", "--timestamp-format", "%Y-%m-%d %H:%M:%S")
            try await project.streamplat("run", "clickstream", "--until-idle", "--close-windows")
            try project.write(
                """
                import sqlite3, sys
                connection = sqlite3.connect(".streamplat/results.db")
                assert connection.execute(sys.argv[1]).rowcount >= 1
                connection.commit()
                """, to: "change.py")
            let changed = try await ChildProcess(
                try #require(Requirements.python), ["change.py", change], folder: project.folder
            ).wait(limit: .seconds(20))
            try #require(changed.code == 0, "\(changed)")
            let verdict = try await project.python(
                "judge.py", ["clickstream", "--domain", "domains/clickstream.yaml", "--db", ".streamplat/results.db"])
            #expect(verdict.code == 1 && !verdict.output.contains("Traceback"), "\(verdict)")
        }

        @Test("A second ingest of the same file repeats the event ids")
        func repeatedIngest() async throws {
            let project = try TestProject()
            try project.edit("domains/clickstream.yaml", "  - name: click\n", "  - name: click\n    raw_events: true\n")
            let file = try await project.dataSet("clickstream")
            try await project.streamplat("apply", "clickstream", "--yes")
            for _ in 1...2 {
                try await project.streamplat(
                    "ingest", "click", file, "--domain", "clickstream", "--timestamp-format", "%Y-%m-%d %H:%M:%S")
            }
            try await project.streamplat("run", "clickstream", "--until-idle", "--close-windows")
            let counted = try await project.streamplat(
                "query", "select count(*) as n from click", "--domain", "clickstream", "--output", "csv")
            #expect(counted.output == "n\n31106\n", "\(counted)")
        }
    }
}
