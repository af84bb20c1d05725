import DataPath
import Diagnostics
import Foundation
import PluginAPI
import TestServers
import Testing

extension KafkaSinkSuites {
    @Suite("Rows")
    struct RowTests {
        @Test("rows are JSON, keyed by the key columns; one key is in one partition, where Kafka's clients look for it")
        func records() throws {
            let results = try Results()
            let (sink, _, _) = try results.run(options: "partitions: 3")
            try sink.write(batch((0..<60).map { (Int64($0 % 20), Int64($0), "ä\"\n") }), to: .daily())
            #expect(try results.values(isolation: "read_committed").isEmpty)
            try sink.flush()
            let records = try results.records()
            #expect(records.count == 60 && records.allSatisfy { $0.headers.isEmpty })
            #expect(Set(records.map(\.partition)).count > 1)
            for record in records {
                let key = try #require(record.key)
                #expect(
                    record.partition == Array(key.utf8).withUnsafeBytes { kafkaPartition(ofKey: $0, partitions: 3) })
            }
            let first = try #require(records.first { $0.value.contains("\"n\":7,") })
            #expect(first.key == "{\"day\":\"1970-01-08\"}")
            #expect(first.value == "{\"day\":\"1970-01-08\",\"n\":7,\"note\":\"ä\\\"\\n\"}")
            try sink.close()
        }

        @Test("a flush commits what came since the last one; without one, nobody sees it")
        func flushes() throws {
            let results = try Results()
            let (sink, _, _) = try results.run()
            for number in 0..<3 {
                try sink.write(batch([(Int64(number), 1)]), to: .daily())
                #expect(try results.values().count == number)
                try sink.flush()
                try sink.flush()
                #expect(try results.values().count == number + 1)
            }
            try sink.write(batch([(5, 1)]), to: .daily())
            try sink.close()
            #expect(try results.values() == [line(0, 1), line(1, 1), line(2, 1), line(5, 1)])
        }

        @Test("many rows are committed without a flush, so that what is kept in memory is bounded")
        func bounded() throws {
            let results = try Results()
            let (sink, _, _) = try results.run()
            for start in 0..<14 {
                try sink.write(batch((0..<4000).map { (Int64(start), Int64($0)) }), to: .daily())
            }
            let count = try results.values().count
            #expect(count >= 50_000 && count < 56_000)
            try sink.close()
            #expect(try results.values().count == 56_000)
        }

        @Test(
            "a row that its topic refuses for its size is told, and all others are there",
            arguments: ["", "transactions: false"])
        func tooLarge(_ options: String) throws {
            let results = try Results()
            let (sink, _, _) = try results.run(
                options: "\(options)\nconfig: { max.message.bytes: 3000 }\ncompression: none")
            var rows = (0..<200).map { (Int64($0 % 28), Int64($0), String?.none) }
            rows[50].2 = String(repeating: "x", count: 5000)
            rows[150].2 = String(repeating: "x", count: 2_000_000)
            let given = batch(rows)
            try sink.write(given, to: .daily())
            try retrying { try sink.flush() }
            let refused = sink.takeRefused()
            #expect(refused.count == 1 && refused[0].rows === given && refused[0].table == .daily())
            #expect(refused.first?.refused.code == .kafkaRecordTooLarge)
            #expect(refused.first?.refused.rows.map(\.row) == [50, 150])
            #expect(refused.first?.refused.rows.allSatisfy { $0.reason.contains("larger than") } == true)
            #expect(
                try results.values().sorted() == rows.filter { $0.2 == nil }.map { line(Int($0.0), Int($0.1)) }.sorted()
            )
            #expect(sink.takeRefused().isEmpty)
            try sink.close()
        }

        @Test(
            "a topic whose limit was lowered takes smaller batches", arguments: ["", "transactions: false"])
        func smallerBatches(_ options: String) throws {
            let results = try Results()
            let (sink, _, _) = try results.run(options: "\(options)\ncompression: none")
            try results.python("set-config", results.topic(.daily()), "max.message.bytes", "2000")
            for round in 0..<2 {
                try sink.write(batch((0..<300).map { (Int64($0 % 28), Int64($0 + 300 * round)) }), to: .daily())
                try retrying { try sink.flush() }
            }
            #expect(sink.takeRefused().isEmpty)
            #expect(Set(try results.values()).count == 600)
            #expect(try results.values().count == 600)
            try sink.close()
        }

        @Test("a topic that is gone ends the run in words")
        func gone() throws {
            let results = try Results()
            let sink = try results.open()
            let error = #expect(throws: PipelineError.self) { try sink.claim(.of(.daily(), writer: "a")) }
            #expect(error?.code == .unknownTopic && error?.hint?.contains("apply") == true)
        }
    }
}
