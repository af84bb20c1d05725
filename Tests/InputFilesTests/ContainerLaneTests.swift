import AvroSchema
import Compression
import DataPath
import Diagnostics
import Foundation
import PluginAPI
import Testing

@testable import InputFiles

/// Every record of a container is read once, with its number, wherever chunks, windows and restarts cut it.
@Suite("Lanes of an Avro container")
struct ContainerLaneTests {
    /// A container of blocks that the test cuts itself.
    private struct Container {
        private static let marker = [UInt8](0..<16)
        private static let texts = ["", "a", "some words", String(repeating: "long ", count: 30)]
        private(set) var bytes: [UInt8]
        /// As datums.
        private(set) var records: [[UInt8]] = []
        /// Where each block's head begins, and where the last one ends.
        private(set) var places: [Int] = []
        private let isDeflated: Bool

        init(isDeflated: Bool) {
            self.isDeflated = isDeflated
            bytes = Array("Obj\u{1}".utf8) + [4]
            let schema =
                #"{"type":"record","name":"R","fields":[{"name":"n","type":"long"},{"name":"t","type":"string"}]}"#
            for (key, value) in [("avro.codec", isDeflated ? "deflate" : "null"), ("avro.schema", schema)] {
                bytes += Self.varint(key.utf8.count) + Array(key.utf8)
                bytes += Self.varint(value.utf8.count) + Array(value.utf8)
            }
            bytes += [0] + Self.marker
            places = [bytes.count]
        }

        mutating func addBlock(_ count: Int, _ random: inout SystemRandomNumberGenerator) throws {
            var data: [UInt8] = []
            for _ in 0..<count {
                let text = Self.texts.randomElement(using: &random) ?? ""
                records.append(Self.varint(records.count) + Self.varint(text.utf8.count) + Array(text.utf8))
                data += records[records.count - 1]
            }
            let stored = isDeflated ? try data.withUnsafeBytes { try Deflate.compress($0) } : data
            bytes += Self.varint(count) + Self.varint(stored.count) + stored + Self.marker
            places.append(bytes.count)
        }

        mutating func flip(_ place: Int) { bytes[place] ^= 0xFF }
        mutating func cut(_ place: Int) { bytes.removeLast(bytes.count - place) }

        private static func varint(_ value: Int) -> [UInt8] {
            var rest = UInt(value) << 1
            var out: [UInt8] = []
            while rest >= 0x80 {
                out.append(UInt8(rest & 0x7F) | 0x80)
                rest >>= 7
            }
            return out + [UInt8(rest)]
        }
    }

    /// A file that goes away with the test.
    private final class StoredFile {
        let path: String
        let file: InputFile
        let index: ContainerIndex

        init(_ container: Container, chunkBytes: Int) throws {
            path = FileManager.default.temporaryDirectory.appending(path: "lanes-\(UUID()).avro").path
            try Data(container.bytes).write(to: URL(filePath: path))
            file = try InputFile(eventType: "e", path: path)
            index = ContainerIndex(
                path: path, start: container.places[0], size: container.bytes.count, marker: [UInt8](0..<16),
                chunkBytes: chunkBytes)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func lane(_ lane: Int, at offset: Int64) throws -> ContainerLane {
            try ContainerLane(file, TopicPartition(topic: file.topic, partition: lane), at: offset, index: index)
        }
    }

    private static func container(
        _ random: inout SystemRandomNumberGenerator, isDeflated: Bool, blocks: ClosedRange<Int>
    ) throws -> Container {
        var container = Container(isDeflated: isDeflated)
        for _ in 0..<Int.random(in: blocks, using: &random) {
            try container.addBlock(.random(in: 0...12, using: &random), &random)
        }
        return container
    }

    /// Adds what a lane gives from `offset` on, up to `fetches` fetches; where the next one would begin.
    private func read(
        _ stored: StoredFile, lane: Int, from offset: Int64, window: Int, fetches: Int,
        into found: inout [Int64: [UInt8]]
    ) throws -> (next: Int64, isAtEnd: Bool) {
        let reader = try stored.lane(lane, at: offset)
        let block = RecordBlock()
        var next = offset
        for _ in 0..<fetches {
            guard case .records = try reader.fetch(into: block, maxBytes: window) else { return (next, true) }
            for entry in block.entries {
                let value = Array(try #require(block.value(entry)))
                #expect(found.updateValue(value, forKey: entry.offset) == nil)
                #expect(entry.offset >= next)
                next = entry.offset + 1
            }
            // A checkpoint may also fall inside of what a fetch gave.
            if Bool.random(), block.count > 1 {
                for entry in block.entries.suffix(block.count / 2) { found[entry.offset] = nil }
                return (block.entries[block.count - block.count / 2].offset, false)
            }
        }
        return (next, false)
    }

    @Test("every record is given once with its number, by all lanes together", arguments: 0..<40)
    func wholes(seed: Int) throws {
        var random = SystemRandomNumberGenerator()
        let container = try Self.container(&random, isDeflated: seed % 2 == 0, blocks: 0...40)
        let stored = try StoredFile(container, chunkBytes: .random(in: 1...2000, using: &random))
        var found: [Int64: [UInt8]] = [:]
        for lane in 0..<LineLane.count {
            var (position, isAtEnd): (Int64, Bool) = (0, false)
            // Each time a new reader, as after a restart.
            while !isAtEnd {
                (position, isAtEnd) = try read(
                    stored, lane: lane, from: position, window: .random(in: 1...4000, using: &random),
                    fetches: .random(in: 1...3, using: &random), into: &found)
            }
        }
        #expect(found.keys.sorted() == container.records.indices.map(Int64.init))
        #expect(found.sorted { $0.key < $1.key }.map(\.value) == container.records)
    }

    @Test("a lane that is ahead waits for those that are read, and for no others")
    func pace() throws {
        var random = SystemRandomNumberGenerator()
        let container = try Self.container(&random, isDeflated: false, blocks: 600...600)
        let stored = try StoredFile(container, chunkBytes: 100)
        let block = RecordBlock()
        /// Records until it waits or ends.
        func drain(_ lane: ContainerLane) throws -> (records: Int, result: FetchResult) {
            var records = 0
            while true {
                let result = try lane.fetch(into: block, maxBytes: 1)
                guard result == .records else { return (records, result) }
                records += block.count
            }
        }
        let whole = try drain(stored.lane(3, at: 0))
        var last: ContainerLane? = try stored.lane(5, at: 0)
        #expect(try last?.fetch(into: block, maxBytes: 1) == .records)
        let ahead = try stored.lane(3, at: 0)
        let first = try drain(ahead)
        #expect(first.result == .nothingYet && first.records < whole.records)
        last = nil
        let rest = try drain(ahead)
        #expect(rest.result == .endOfPartition && first.records + rest.records == whole.records)
    }

    @Test(
        "damage ends one lane, with its place and once what is before it was given; the others wait", arguments: 0..<40)
    func damage(seed: Int) throws {
        var random = SystemRandomNumberGenerator()
        var container = try Self.container(&random, isDeflated: seed % 2 == 0, blocks: 4...40)
        let block = Int.random(in: 0..<container.places.count - 1, using: &random)
        switch seed % 3 {
        // The end of the marker behind the block.
        case 0: container.flip(container.places[block + 1] - 1)
        // The size of the block is another, or negative.
        case 1: container.flip(container.places[block] + 1)
        default: container.cut(container.places[block] + Int.random(in: 1..<18, using: &random))
        }
        let chunkBytes = Int.random(in: 50...2000, using: &random)
        let stored = try StoredFile(container, chunkBytes: chunkBytes)
        let expected = container.places[block] / chunkBytes % LineLane.count
        for lane in 0..<LineLane.count {
            let reader = try stored.lane(lane, at: 0)
            let records = RecordBlock()
            var last = FetchResult.records
            let error = Result {
                while last == .records {
                    last = try reader.fetch(into: records, maxBytes: .random(in: 1...4000, using: &random))
                    for entry in records.entries {
                        let value = Array(try #require(records.value(entry)))
                        #expect(value == container.records[Int(entry.offset)])
                    }
                }
            }
            if lane == expected {
                let error = #expect(throws: PipelineError.self) { try error.get() }
                #expect(error?.message.contains("block \(block + 1)") == true, "\(String(describing: error))")
                #expect(error?.hint?.contains("ingest") == true)
                // It stays where it is.
                #expect(throws: PipelineError.self) { try reader.fetch(into: records, maxBytes: 1000) }
            } else {
                #expect(throws: Never.self) { try error.get() }
                // Lanes that have read all of theirs may have come to the file's end.
                #expect(last != .records)
            }
        }
    }

    @Test("what is written while a run reads is another run's, also a block that is not whole yet", arguments: [0, 7])
    func grows(unfinished: Int) throws {
        var random = SystemRandomNumberGenerator()
        var container = Container(isDeflated: false)
        for _ in 0..<30 { try container.addBlock(5, &random) }
        // As a run has opened it.
        let stored = try StoredFile(container, chunkBytes: 200)
        let count = container.records.count
        try container.addBlock(5, &random)
        container.cut(container.bytes.count - unfinished)
        try Data(container.bytes).write(to: URL(filePath: stored.path))
        var found: [Int64: [UInt8]] = [:]
        for lane in 0..<LineLane.count {
            var (position, isAtEnd): (Int64, Bool) = (0, false)
            while !isAtEnd {
                (position, isAtEnd) = try read(
                    stored, lane: lane, from: position, window: 100, fetches: 3, into: &found)
            }
        }
        #expect(found.keys.sorted() == (0..<Int64(count)).map { $0 })
    }

    @Test("a shorter file in the place of one that was counted is told, not taken for read")
    func replaced() throws {
        var random = SystemRandomNumberGenerator()
        var container = Container(isDeflated: false)
        for _ in 0..<10 { try container.addBlock(5, &random) }
        let stored = try StoredFile(container, chunkBytes: 200)
        let block = RecordBlock()
        // All of it was counted.
        for lane in 0..<LineLane.count {
            #expect(try stored.lane(lane, at: 50).fetch(into: block, maxBytes: 1000) == .endOfPartition)
        }
        let error = #expect(throws: PipelineError.self) {
            try stored.lane(0, at: 51).fetch(into: block, maxBytes: 1000)
        }
        #expect(error?.code == .offsetOutOfRange && error?.hint?.contains("--from-earliest") == true)
    }

    @Test("a damaged block that was mended meanwhile is told, not waited for")
    func mended() throws {
        var random = SystemRandomNumberGenerator()
        var container = Container(isDeflated: false)
        for _ in 0..<30 { try container.addBlock(10, &random) }
        let sound = container
        container.flip(container.places[1] - 1)
        let stored = try StoredFile(container, chunkBytes: 200)
        let block = RecordBlock()
        // Another lane looks ahead.
        #expect(try stored.lane(5, at: 0).fetch(into: block, maxBytes: 1) == .nothingYet)
        try Data(sound.bytes).write(to: URL(filePath: stored.path))
        let reader = try stored.lane(sound.places[0] / 200 % LineLane.count, at: 0)
        let error = #expect(throws: PipelineError.self) {
            while try reader.fetch(into: block, maxBytes: 1) == .records {}
        }
        #expect(error?.message.contains("block 1,") == true, "\(String(describing: error))")
    }
}
