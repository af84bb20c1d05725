import DataPath
import Diagnostics
import Foundation
import PluginAPI
import TestServers
import Testing

extension KafkaSinkSuites {
    @Suite("Runs")
    struct RunTests {
        @Test("a run that was replaced cannot write: SP6200, and its rows are never seen")
        func zombie() throws {
            let results = try Results()
            let (older, _, first) = try results.run(writer: "older")
            try older.write(batch([(0, 1)]), to: .daily())
            let (newer, _, second) = try results.run(writer: "newer")
            #expect(second.epoch == first.epoch + 1)
            try newer.write(batch([(1, 2)]), to: .daily())
            let error = #expect(throws: PipelineError.self) { try older.flush() }
            #expect(
                error?.code == .writerReplaced && error?.message.contains("epoch 2, this run 1") == true,
                "\(String(describing: error))")
            #expect(throws: PipelineError.self) { try older.write(batch([(0, 3)]), to: .daily()) }
            try newer.flush()
            #expect(try results.values() == [line(1, 2)])
            try newer.close()
            #expect(try results.values() == [line(1, 2)])
        }

        @Test("a claim of the same run keeps its epoch, one of another raises it; the newest checkpoint is told")
        func epochs() throws {
            let results = try Results()
            let (sink, _, standing) = try results.run(writer: "a")
            #expect(standing.epoch == 1 && standing.committed == CheckpointNumber.none)
            #expect(try sink.claim(.of(.daily(), writer: "a")).epoch == 1)
            _ = try sink.commit(.number(7))
            #expect(try sink.claim(.of(.daily(), writer: "a")).committed == CheckpointNumber(epoch: 1, sequence: 7))
            #expect(try sink.claim(.of(.daily(), writer: "b")).epoch == 2)
            #expect(try sink.claim(.of(.daily(), writer: "b", epoch: 9)).epoch == 9)
            try sink.close()
        }

        @Test("a producer that the broker has ended is replaced, and each row is there once")
        func producerLost() throws {
            let results = try Results()
            let (sink, _, _) = try results.run()
            try sink.write(batch([(0, 1)]), to: .daily())
            // As after a pause that was longer than the transaction's timeout.
            try results.python("fence", "\(results.prefix).streamplat.shop")
            try sink.write(batch([(1, 2)]), to: .daily())
            try sink.flush()
            try results.python("fence", "\(results.prefix).streamplat.shop")
            _ = try sink.commit(.number(1))
            try sink.write(batch([(2, 3)]), to: .daily())
            try sink.close()
            #expect(try results.values() == [line(0, 1), line(1, 2), line(2, 3)])
        }

        @Test("a commit whose answer gets lost is not made twice", arguments: 0..<3)
        func lostAnswer(_ round: Int) throws {
            let results = try Results()
            let proxy = try CuttingProxy(to: results.server.port, rewritesKafkaPort: true)
            results.address = "127.0.0.1:\(proxy.port)"
            let (sink, _, _) = try results.run(options: "request_timeout: 5 seconds")
            for number in 0..<4 {
                try sink.write(batch([(Int64(number), Int64(round))]), to: .daily())
                // EndTxn, version 1.
                if number == 2 { proxy.cutAfter = [0, 26, 0, 1] }
                try retrying { try sink.flush() }
            }
            #expect(proxy.cuts == 1)
            try sink.close()
            #expect(try results.values() == (0..<4).map { line($0, round) })
        }

        @Test("a broker that answers nothing for longer than a transaction may last loses and doubles nothing")
        func silentBroker() throws {
            let results = try Results()
            let (sink, _, _) = try results.run(options: "request_timeout: 500 ms\ntransaction_timeout: 1 second")
            try sink.write(batch([(0, 1)]), to: .daily())
            try results.server.pause()
            let error = #expect(throws: PipelineError.self) { try sink.flush() }
            #expect(error?.retry == .backoff, "\(String(describing: error))")
            usleep(2_000_000)
            results.server.resume()
            try retrying { try sink.flush() }
            try sink.write(batch([(1, 2)]), to: .daily())
            try retrying { try sink.close() }
            #expect(try results.values() == [line(0, 1), line(1, 2)])
        }
    }

    @Suite("Replays")
    struct ReplayTests {
        @Test(
            "what was committed after the checkpoint is not written again", arguments: ["", "transactions: false"])
        func crash(_ options: String) throws {
            let results = try Results()
            let (first, states, _) = try results.run(writer: "a", options: options)
            for day in 0..<5 {
                try first.write(batch([(Int64(day), 1)]), to: .daily())
                try first.flush()
            }
            // The next run is given two of them and takes a checkpoint, the one after it the others.
            let (second, _, _) = try results.run(writer: "b", options: options, from: states)
            try second.write(batch([(3, 1), (0, 1)]), to: .daily())
            let later = try second.commit(.number(1))
            let (third, _, _) = try results.run(writer: "c", options: options, from: later)
            try third.write(batch([(1, 1), (2, 1), (4, 1), (5, 1)]), to: .daily())
            try third.close()
            #expect(try results.values() == (0..<6).map { line($0, 1) })
        }

        @Test("a run that begins anew writes everything once more")
        func anew() throws {
            let results = try Results()
            for writer in ["a", "b"] {
                let (sink, _, _) = try results.run(writer: writer)
                try sink.write(batch([(0, 1)]), to: .daily())
                try sink.close()
            }
            #expect(try results.values() == [line(0, 1), line(0, 1)])
        }

        @Test(
            "the last record of a key is right, whatever lay between",
            arguments: [
                ([1, 2, 3], [2, 3], 3), ([1, 2], [1], 1), ([1, 2, 3], [3], 3), ([1, 2, 1], [1, 2], 2),
                ([1], [5, 1], 1),
            ])
        func updates(_ before: [Int], _ after: [Int], _ last: Int) throws {
            let results = try Results()
            let (first, states, _) = try results.run(writer: "a")
            for n in before {
                try first.write(batch([(0, Int64(n))]), to: .daily())
                try first.flush()
            }
            let (second, _, _) = try results.run(writer: "b", from: states)
            for n in after {
                try second.write(batch([(0, Int64(n))]), to: .daily())
                try second.flush()
            }
            try second.close()
            #expect(try results.values().last == line(0, last))
        }

        @Test("raw events that came twice stay two")
        func raw() throws {
            let results = try Results()
            let rows: [(Int64, Int64)] = [(1, 1), (1, 1), (2, 5), (1, 7)]
            let (first, states, _) = try results.run(.raw(), writer: "a")
            try first.write(batch(rows, .raw()), to: .raw())
            try first.flush()
            let (second, _, _) = try results.run(.raw(), writer: "b", from: states)
            try second.write(batch(Array(rows.reversed()) + [(1, 1)], .raw()), to: .raw())
            try second.close()
            #expect(
                try results.values(.raw()).sorted()
                    == (rows + [(1, 1)]).map { "{\"event_id\":\($0.0),\"n\":\($0.1)}" }.sorted())
        }

        @Test("a topic that is shorter than at the checkpoint is said, and gone on with")
        func shorter() throws {
            let results = try Results()
            let (first, _, _) = try results.run(writer: "a")
            try first.write(batch([(0, 1), (1, 1)]), to: .daily())
            let states = try first.commit(.number(1))
            try first.close()
            try results.python("again", results.topic(.daily()))
            let (second, now, _) = try results.run(writer: "b", from: states)
            #expect(results.heard.contains { $0.contains("shorter than at the last checkpoint") }, "\(results.heard)")
            #expect(now != states)
            try second.write(batch([(0, 1)]), to: .daily())
            try second.close()
            #expect(try results.values() == [line(0, 1)])
        }

        @Test("a state of another version is refused")
        func unreadable() throws {
            let results = try Results()
            let (_, states, _) = try results.run(writer: "a")
            var bytes = try #require(states["daily"])
            bytes[0] = 2
            let error = #expect(throws: PipelineError.self) { try results.run(writer: "b", from: ["daily": bytes]) }
            #expect(error?.code == .kafkaSinkState && error?.hint?.contains("--from-earliest") == true)
        }
    }
}
