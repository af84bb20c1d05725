import DataPath
import Foundation
import PluginAPI
import Testing

@testable import StreamRuntime

@Suite("Checkpoints")
struct CheckpointTests {
    static let example = Checkpoint(
        sequence: 7, hashKey: HashKey(k0: 1, k1: .max),
        sections: [
            .init(
                name: "revenue", fingerprint: "f1",
                positions: [
                    .init(
                        partition: TopicPartition(topic: "events.purchase", partition: 3), nextOffset: 42,
                        maxEventTime: -5),
                    .init(
                        partition: TopicPartition(topic: "events.purchase", partition: 0), nextOffset: 0,
                        maxEventTime: .min),
                ], shards: [[], [1, 2, 3]]),
            .init(name: "raw:purchase", fingerprint: "raw", positions: [], shards: []),
        ])

    private func folder() throws -> String {
        let path = NSTemporaryDirectory() + "streamplat-checkpoint-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    @Test("a number that no checkpoint of ours holds is damage, though the checksum is right")
    func impossiblePartition() throws {
        var checkpoint = Self.example
        checkpoint.sections[0].positions[0].partition.partition = .max
        var file = checkpoint.encoded()
        let number = [UInt8](repeating: 0xFF, count: 7) + [0x7F]
        let place = try #require(file.indices.dropLast(8).first { file[$0..<$0 + 8].elementsEqual(number) })
        file[place + 7] = 0xFF
        let checksum = file[20...].withUnsafeBytes { CRC32C.checksum($0) }
        withUnsafeBytes(of: checksum.littleEndian) { file.replaceSubrange(16..<20, with: $0) }
        #expect(throws: Checkpoint.DecodingFailure.damaged) { try Checkpoint(decoding: file) }
    }

    @Test("what was saved is loaded")
    func roundTrip() throws {
        let store = CheckpointStore(folder: try folder())
        let absent = try store.load()
        #expect(absent.map(\.sequence) == nil)
        try store.save(Self.example)
        let loaded = try #require(try store.load())
        #expect(loaded.sequence == 7)
        #expect(loaded.hashKey == Self.example.hashKey)
        #expect(loaded.sections.map(\.name) == ["revenue", "raw:purchase"])
        #expect(loaded.sections[0].positions.map(\.nextOffset) == [42, 0])
        #expect(loaded.sections[0].positions.map(\.maxEventTime) == [-5, .min])
        #expect(loaded.sections[0].shards == [[], [1, 2, 3]])
    }

    @Test("state of another fingerprint is not used")
    func fingerprint() {
        #expect(Self.example.section("revenue", fingerprint: "f1") != nil)
        #expect(Self.example.section("revenue", fingerprint: "f2") == nil)
    }

    @Test("a file cut at any place, or with any bit of it flipped, is refused, never misread")
    func damage() {
        let bytes = Self.example.encoded()
        for length in 0..<bytes.count {
            #expect(throws: Checkpoint.DecodingFailure.self) { try Checkpoint(decoding: Array(bytes[..<length])) }
        }
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0x10
            #expect(throws: Checkpoint.DecodingFailure.self) { try Checkpoint(decoding: damaged) }
        }
    }

    @Test("a checkpoint of another version is named as such")
    func version() {
        var bytes = Self.example.encoded()
        bytes[4] = 9
        #expect(throws: Checkpoint.DecodingFailure.otherVersion(9)) { try Checkpoint(decoding: bytes) }
    }

    @Test("one domain has one runner")
    func lock() throws {
        let store = CheckpointStore(folder: try folder())
        let first = try store.lock()
        #expect(throws: (any Error).self) { _ = try store.lock() }
        withExtendedLifetime(first) {}
    }
}

@Suite("Watermarks over workers")
struct WatermarkTests {
    @Test("it is the minimum of the partitions that are not idle")
    func minimum() {
        var first = WatermarkReport()
        first.add(maxEventTime: 1000, delay: 100, isIdle: false)
        first.add(maxEventTime: 700, delay: 100, isIdle: false)
        var second = WatermarkReport()
        second.add(maxEventTime: 10, delay: 100, isIdle: true)
        #expect(WatermarkReport.combine([first, second]) == 600)
    }

    @Test("a partition that never had an event holds it back until it is idle")
    func neverStarted() {
        var report = WatermarkReport()
        report.add(maxEventTime: 1000, delay: 0, isIdle: false)
        report.add(maxEventTime: .min, delay: 0, isIdle: false)
        #expect(WatermarkReport.combine([report]) == nil)
        var idle = WatermarkReport()
        idle.add(maxEventTime: 1000, delay: 0, isIdle: false)
        idle.add(maxEventTime: .min, delay: 0, isIdle: true)
        #expect(WatermarkReport.combine([idle]) == 1000)
    }

    @Test("when every partition is idle it is the maximum, whichever fell idle last")
    func allIdle() {
        var report = WatermarkReport()
        report.add(maxEventTime: 500, delay: 0, isIdle: true)
        report.add(maxEventTime: 900, delay: 0, isIdle: true)
        #expect(WatermarkReport.combine([report, WatermarkReport()]) == 900)
    }

    @Test("a worker that has not reported holds it back")
    func unknown() {
        var report = WatermarkReport()
        report.add(maxEventTime: 500, delay: 0, isIdle: false)
        #expect(WatermarkReport.combine([report, WatermarkReport(active: .min, idle: .min)]) == nil)
    }
}
