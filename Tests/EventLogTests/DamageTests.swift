import DataPath
import Diagnostics
import EventLog
import Foundation
import Glibc
import Testing

@Suite("Event log: damage, limits, retention")
struct DamageTests {
    @Test("a tail that is torn at any byte is cut back to the last whole batch, and that is said once")
    func tornTail() throws {
        let scratch = Scratch()
        let log = try scratch.open()
        try log.createTopic("t", partitions: 1, config: [:])
        try log.write([Record("one"), Record("two")])
        let file = try #require(try scratch.segments().first)
        let whole = try Data(contentsOf: URL(fileURLWithPath: file)).count
        try log.write([Record("three", key: "k"), Record("four")])
        let both = try Data(contentsOf: URL(fileURLWithPath: file))
        for length in whole + 1..<both.count {
            try both.prefix(length).write(to: URL(fileURLWithPath: file))
            #expect(try log.readAll() == [Record("one"), Record("two")])
            let before = scratch.notes.all.count
            try log.write([Record("new")])
            try log.write([Record("newer")])
            #expect(scratch.notes.all.count == before + 1)
            #expect(
                scratch.notes.all.last
                    == "topic t, partition 0: cut \(length - whole) bytes of a torn batch after offset 1")
            #expect(try log.readAll() == ["one", "two", "new", "newer"].map { Record($0) })
        }
    }

    @Test("a flipped bit anywhere in a batch that others follow is an error for readers, never a wrong record")
    func flippedBit() throws {
        let scratch = Scratch()
        let log = try scratch.open()
        try log.createTopic("t", partitions: 1, config: [:])
        try log.write([Record("one", key: "k")])
        let file = URL(fileURLWithPath: try #require(try scratch.segments().first))
        let size = try Data(contentsOf: file).count
        try log.write([Record("two")])
        let good = try Data(contentsOf: file)
        // Bytes 12..<16, the leader epoch, are outside the CRC and have no meaning here.
        for byte in 0..<size where !(12..<16).contains(byte) {
            var bad = good
            bad[byte] ^= 1
            try bad.write(to: file)
            let error = #expect(throws: PipelineError.self) {
                let reader = try log.makeReader(topic: "t", partition: 0, at: 0)
                // A length that points behind the end is taken for a write in progress at first.
                let first = try reader.readAll()
                let second = try reader.readAll()
                #expect(first.isEmpty && second.isEmpty)
            }
            #expect(error?.code == .logCorrupted)
            #expect(error?.message.contains("byte 0") == true)
        }
    }

    @Test("appending to a segment that is damaged in the middle is refused")
    func refusesToCutGoodData() throws {
        let scratch = Scratch()
        let log = try scratch.open()
        try log.createTopic("t", partitions: 1, config: [:])
        for value in ["one", "two", "three"] { try log.write([Record(value)]) }
        let file = URL(fileURLWithPath: try #require(try scratch.segments().first))
        var data = try Data(contentsOf: file)
        data[16] = 9
        try data.write(to: file)
        let error = #expect(throws: PipelineError.self) { try log.write([Record("four")]) }
        #expect(error?.code == .logCorrupted)
        #expect(try Data(contentsOf: file) == data)
    }

    @Test("retention removes whole old segments and tells a reader that it was overtaken")
    func retention() throws {
        let scratch = Scratch()
        let log = try scratch.open(segmentBytes: 1024)
        try log.createTopic("t", partitions: 1, config: ["retention.bytes": "3000"])
        for round in 0..<60 { try log.write([Record("value \(round) " + String(repeating: "x", count: 100))]) }
        let ends = try log.offsets(topic: "t", partition: 0)
        #expect(ends.earliest > 0 && ends.next == 60)
        #expect(try log.readAll(at: ends.earliest).count == Int(60 - ends.earliest))
        let error = #expect(throws: OffsetOutOfRange.self) { try log.makeReader(topic: "t", partition: 0, at: 0) }
        #expect(error?.earliest == ends.earliest)
    }

    @Test("retention by time goes by the later of event time and last append")
    func retentionByTime() throws {
        let scratch = Scratch()
        let log = try scratch.open(segmentBytes: 1024)
        try log.createTopic("t", partitions: 1, config: ["retention.ms": "60000"])
        for _ in 0..<30 { try log.write([Record(String(repeating: "x", count: 100))]) }
        #expect(try log.offsets(topic: "t", partition: 0).earliest == 0)
        let later = try scratch.open(now: { EventLogOptions.wallClock() + 3_600_000 })
        try later.write([Record("late")])
        #expect(try later.offsets(topic: "t", partition: 0) == (30, 31))
    }

    @Test("a file size limit fails the append, tears nothing and loses nothing")
    func fileSizeLimit() throws {
        let scratch = Scratch()
        let log = try scratch.open()
        try log.createTopic("t", partitions: 1, config: [:])
        let large = Record(key: nil, value: [UInt8](repeating: 1, count: 6 << 20), timestamp: 0, headers: [:])
        try log.write([Record("first")])
        signal(SIGXFSZ, SIG_IGN)
        var old = rlimit()
        getrlimit(__rlimit_resource_t(1), &old)
        var limited = old
        limited.rlim_cur = 4 << 20
        setrlimit(__rlimit_resource_t(1), &limited)
        let error = #expect(throws: PipelineError.self) { try log.write([large]) }
        setrlimit(__rlimit_resource_t(1), &old)
        #expect(error?.code == .logFull)
        #expect(try log.readAll() == [Record("first")])
        try log.write([Record("second")])
        #expect(try log.readAll() == [Record("first"), Record("second")])
        #expect(scratch.notes.all.isEmpty)
    }
}
