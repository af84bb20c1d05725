import Foundation
import Testing

extension EndToEnd {
    /// What the machine does to a run: rights, damage, a full disk, other people's tables.
    @Suite("Mistakes of the world")
    struct WorldErrorTests {
        private func generated(_ project: TestProject, events: Int = 20_000) async throws {
            try await project.streamplat("apply", "ecommerce", "--yes")
            try await project.streamplat(
                "generate", "ecommerce", "--events", "\(events)", "--seed", "1", "--start", "2024-05-06", "--span", "1h"
            )
        }

        @Test("A domain file that may not be read is named with the reason")
        func unreadableFile() async throws {
            let project = try TestProject(isOpen: true)
            try project.setMode(0o000, "domains/ecommerce.yaml")
            guard let outcome = try await project.asNobody(["validate", "ecommerce"]) else { return }
            #expect([2, 3].contains(outcome.code), "\(outcome)")
            #expect(outcome.errors.contains("domains/ecommerce.yaml"), "\(outcome)")
            #expect(outcome.errors.lowercased().contains("permission denied"), "\(outcome)")
        }

        @Test("An input file that may not be read is named with the reason")
        func unreadableInput() async throws {
            let project = try TestProject(isOpen: true)
            try project.write("{}\n", to: "orders.ndjson")
            try project.setMode(0o000, "orders.ndjson")
            guard let applied = try await project.asNobody(["apply", "cdnow", "--yes"]) else { return }
            try #require(applied.code == 0, "\(applied)")
            guard
                let outcome = try await project.asNobody(["ingest", "purchase", "orders.ndjson", "--domain", "cdnow"])
            else { return }
            #expect(outcome.code != 0 && outcome.errors.contains("orders.ndjson"), "\(outcome)")
            #expect(outcome.errors.lowercased().contains("permission denied"), "\(outcome)")
        }

        @Test("A log folder of another owner is named with the reason and a hint")
        func foreignLog() async throws {
            let project = try TestProject(isOpen: true)
            try await generated(project, events: 100)
            try project.setMode(getuid() == 0 ? 0o700 : 0o000, ".streamplat/log")
            defer { try? project.setMode(0o755, ".streamplat/log") }
            for arguments in [["run", "ecommerce", "--until-idle"], ["generate", "ecommerce", "--events", "10"]] {
                guard let outcome = try await project.asNobody(arguments) else { return }
                #expect(outcome.code == 3, "\(outcome)")
                #expect(outcome.errors.contains(".streamplat/log"), "\(outcome)")
                #expect(outcome.errors.lowercased().contains("permission denied"), "\(outcome)")
                #expect(outcome.errors.contains("hint:"), "\(outcome)")
            }
        }

        @Test("A damaged segment is named with the file and the position, and nothing is made up")
        func corruptedSegment() async throws {
            let project = try TestProject()
            try await generated(project)
            let segments = try project.files(".streamplat/log", suffix: ".log")
                .map { (name: $0, bytes: try project.read(".streamplat/log/\($0)")) }
            let largest = try #require(segments.max { $0.bytes.count < $1.bytes.count })
            var bytes = largest.bytes
            let middle = bytes.count / 3
            for position in middle..<(middle + 4) { bytes[position] ^= 0xff }
            try project.write(bytes, to: ".streamplat/log/\(largest.name)")
            let outcome = try await project.streamplat("run", "ecommerce", "--until-idle", exit: 1)
            #expect(outcome.errors.contains(largest.name), "\(outcome)")
            let position = try #require(
                outcome.errors.firstMatch(of: /byte (\d+)/).flatMap { Int($0.1) }, "\(outcome)")
            #expect(position <= middle + 4, "\(outcome)")
            #expect(try project.read(".streamplat/log/\(largest.name)") == bytes, "the file was left as it was")
        }

        @Test("A full disk stops generate with a clear message; afterwards everything goes on")
        func fullDisk() async throws {
            let project = try TestProject()
            try await project.streamplat("apply", "ecommerce", "--yes")
            // A file size limit of one MiB: what a write meets on a full disk, without mounting one.
            let outcome = try await project.shell(
                "ulimit -f 2048; exec \"$0\" \"$@\"",
                ["generate", "ecommerce", "--events", "500000", "--seed", "1", "--start", "2024-05-06", "--span", "1h"])
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.errors.contains("error[SP") && outcome.errors.contains(".streamplat/log"), "\(outcome)")
            #expect(
                outcome.errors.contains("file size limit") || outcome.errors.lowercased().contains("file too large"),
                "\(outcome)")
            try await project.streamplat(
                "generate", "ecommerce", "--events", "1000", "--seed", "2", "--start", "2024-05-06T02:00:00Z", "--span",
                "1h")
            try await project.streamplat("run", "ecommerce", "--until-idle", "--close-windows")
            let hours = try await project.streamplat(
                "query", "select count(distinct window_start) as n from top_products_viewed", "--output", "csv")
            #expect(hours.output == "n\n2\n", "\(hours)")
        }

        @Test("A full disk stops a run with a clear message; afterwards the tables are as they should be")
        func fullDiskDuringRun() async throws {
            let project = try TestProject()
            try await generated(project)
            let copy = try TestProject(copying: project)
            let outcome = try await project.shell(
                "ulimit -f 200; exec \"$0\" \"$@\"", ["run", "ecommerce", "--until-idle", "--close-windows"])
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.errors.contains("error[SP") && outcome.errors.contains("hint:"), "\(outcome)")
            for one in [project, copy] {
                try await one.streamplat("run", "ecommerce", "--until-idle", "--close-windows")
            }
            #expect(try await project.dump() == (try await copy.dump()))
        }

        @Test("A table of the same name that is not ours is refused and left alone")
        func foreignTable() async throws {
            let project = try TestProject()
            try project.write(
                """
                import os, sqlite3
                os.makedirs(".streamplat", exist_ok=True)
                connection = sqlite3.connect(".streamplat/results.db")
                connection.execute("CREATE TABLE events_per_minute (mine TEXT)")
                connection.execute("INSERT INTO events_per_minute VALUES ('precious')")
                connection.commit()
                """, to: "make.py")
            let python = try #require(Requirements.python)
            let made = try await ChildProcess(python, ["make.py"], folder: project.folder).wait(limit: .seconds(20))
            try #require(made.code == 0, "\(made)")
            let before = try await project.dump()
            for command in [["apply", "ecommerce", "--yes"], ["run", "ecommerce", "--until-idle"]] {
                let outcome = try await project.start(command).wait(limit: .seconds(60))
                #expect(outcome.code == 1 || outcome.code == 3, "\(outcome)")
                #expect(outcome.errors.contains("events_per_minute") && outcome.errors.contains("hint:"), "\(outcome)")
                #expect(try await project.dump().contains(before.trimmingCharacters(in: .whitespacesAndNewlines)))
            }
        }

        @Test("run and generate before apply say what to do")
        func notApplied() async throws {
            let project = try TestProject()
            for command in [["generate", "ecommerce", "--events", "10"], ["run", "ecommerce", "--until-idle"]] {
                let outcome = try await project.start(command).wait(limit: .seconds(60))
                #expect(outcome.code == 3, "\(outcome)")
                #expect(outcome.errors.contains("streamplat apply"), "\(outcome)")
            }
        }

        @Test("A second apply does nothing; bad records go on to dead letters and are counted")
        func badRecords() async throws {
            let project = try TestProject()
            try project.write(
                """
                domain: kiosk
                entity: { primary_key: customer_id }
                event_types:
                  - name: order
                    metrics: [{ name: quantity, type: int }, { name: amount, type: money }]
                aggregations:
                  - name: daily
                    from: [order]
                    window: { type: tumbling, duration: 1 day }
                    measures:
                      - { name: orders, type: count }
                      - { name: revenue, type: sum, field: amount }
                      - { name: customers, type: count_distinct, field: customer_id }
                """ + "\n", to: "domains/kiosk.yaml")
            try await project.streamplat("apply", "kiosk", "--yes")
            let again = try await project.streamplat("apply", "kiosk", "--yes")
            #expect(!again.output.contains("done:"), "\(again)")
            try project.write(
                """
                customer_id,timestamp,quantity,amount
                00001,2024-05-06T10:00:00Z,1,12.50
                00002,2024-05-06T11:00:00Z,many,12.50
                00003,2024-05-06T12:00:00Z,2,12.505
                00004,never,2,1.00
                00005,2024-05-06T13:00:00Z,3,7.25
                """ + "\n", to: "orders.csv")
            let outcome = try await project.streamplat("ingest", "order", "orders.csv", "--domain", "kiosk", exit: 1)
            for place in ["orders.csv:3:", "orders.csv:4:", "orders.csv:5:"] {
                #expect((outcome.output + outcome.errors).contains(place), "\(outcome)")
            }
            #expect(!(outcome.output + outcome.errors).contains("12.505"), "no values of rows: \(outcome)")
            try await project.streamplat("ingest", "order", "orders.csv", "--domain", "kiosk", "--allow-bad")
            try await project.streamplat("run", "kiosk", "--until-idle", "--close-windows")
            let table = try await project.streamplat(
                "query", "select orders, revenue, customers from daily", "--domain", "kiosk", "--output", "csv")
            #expect(table.output == "orders,revenue,customers\n4,39.50,2\n", "\(table)")
        }
    }
}
