import DataPath
import Diagnostics
import Foundation
import PluginAPI
import Testing

@testable import InputFiles

/// Every record of a file is read once, wherever chunks, windows and restarts cut it.
@Suite("Lanes of an NDJSON file")
struct LineLaneTests {
    /// A file that goes away with the test.
    private final class TextFile {
        let path: String

        init(_ bytes: [UInt8]) throws {
            path = FileManager.default.temporaryDirectory.appending(path: "lanes-\(UUID()).ndjson").path
            try Data(bytes).write(to: URL(filePath: path))
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    /// What a lane gives from `offset` on, up to `limit` fetches, and where the next one would begin.
    private func read(
        _ file: InputFile, lane: Int, from offset: Int64, chunkBytes: Int64, window: Int, fetches: Int = .max
    ) throws -> (records: [Int64: String], next: Int64, isAtEnd: Bool) {
        let reader = try LineLane(
            file, TopicPartition(topic: file.topic, partition: lane), at: offset, chunkBytes: chunkBytes
        ) { _ in }
        let block = RecordBlock()
        var records: [Int64: String] = [:]
        var next = offset
        for _ in 0..<fetches {
            guard case .records = try reader.fetch(into: block, maxBytes: window) else { return (records, next, true) }
            for entry in block.entries {
                let value = try #require(block.value(entry))
                #expect(records.updateValue(String(decoding: value, as: UTF8.self), forKey: entry.offset) == nil)
                #expect(entry.offset >= next)
                next = entry.offset + 1
            }
        }
        return (records, next, false)
    }

    @Test("every record is given once, by all lanes together", arguments: UInt64(0)..<40)
    func wholes(seed: UInt64) throws {
        var random = SystemRandomNumberGenerator()
        let lines = (0..<Int.random(in: 0...60, using: &random)).map { number in
            Int.random(in: 0..<8, using: &random) == 0
                ? ["", " ", "\r", "\t "].randomElement(using: &random) ?? ""
                : "{\"n\":\(number),\"x\":\"\(String(repeating: "x", count: Int.random(in: 0...90, using: &random)))\"}"
        }
        var text = lines.joined(separator: "\n")
        if seed % 2 == 0, !text.isEmpty { text += "\n" }
        let mark: [UInt8] = seed % 3 == 0 ? [0xEF, 0xBB, 0xBF] : []
        let file = try TextFile(mark + Array(text.utf8))
        let input = try InputFile(eventType: "e", path: file.path)
        let chunkBytes = Int64.random(in: 1...200, using: &random)
        var found: [Int64: String] = [:]
        for lane in 0..<LineLane.count {
            var position: Int64 = 0
            var isAtEnd = false
            // Each time a new reader, as after a restart.
            while !isAtEnd {
                let part = try read(
                    input, lane: lane, from: position, chunkBytes: chunkBytes,
                    window: .random(in: 1...300, using: &random), fetches: .random(in: 1...3, using: &random))
                for (offset, record) in part.records { #expect(found.updateValue(record, forKey: offset) == nil) }
                (position, isAtEnd) = (part.next, part.isAtEnd)
            }
        }
        let expected = lines.filter { !$0.allSatisfy(\.isWhitespace) }
        let given = found.sorted { $0.key < $1.key }.map(\.value)
        #expect(given == expected, "chunks of \(chunkBytes) bytes")
        let numbers = try LineIndex(
            fileName: file.path, path: file.path, chunkBytes: .random(in: 1...200, using: &random))
        for (index, offset) in found.keys.sorted().enumerated().shuffled(using: &random) {
            #expect(try numbers.number(ofRecordAt: offset) == index + 1, "chunks of \(chunkBytes) bytes")
        }
    }

    @Test("a file that is cut off under the run is told, a file put in its place changes no number")
    func changed() throws {
        let file = try TextFile(Array("{}\n\n{}\n{}\n".utf8))
        let numbers = try LineIndex(fileName: "given.ndjson", path: file.path, chunkBytes: 4)
        try FileManager.default.moveItem(atPath: file.path, toPath: file.path + ".old")
        try Data("{}{}{}{}{}{}".utf8).write(to: URL(filePath: file.path))
        #expect(try numbers.number(ofRecordAt: 4) == 2)
        let old = try FileHandle(forWritingTo: URL(filePath: file.path + ".old"))
        try old.truncate(atOffset: 4)
        let error = #expect(throws: PipelineError.self) { try numbers.number(ofRecordAt: 7) }
        #expect(error?.code == .inputNotReadable && error?.message.contains("given.ndjson") == true, "\(error as Any)")
        try FileManager.default.removeItem(atPath: file.path + ".old")
    }

    @Test("a lane that is ahead waits for those that are read, and for no others")
    func pace() throws {
        let line = "{\"n\":1}\n"
        let chunk = Int64(line.utf8.count)
        let file = try TextFile(Array(String(repeating: line, count: 400).utf8))
        let input = try InputFile(eventType: "e", path: file.path)
        let block = RecordBlock()
        func lane(_ number: Int) throws -> LineLane {
            try LineLane(input, TopicPartition(topic: input.topic, partition: number), at: 0, chunkBytes: chunk) { _ in
            }
        }
        /// Records until it waits or ends.
        func drain(_ lane: LineLane, fetches: Int = .max) throws -> (records: Int, result: FetchResult) {
            var records = 0
            for _ in 0..<fetches {
                let result = try lane.fetch(into: block, maxBytes: 1 << 10)
                guard result == .records else { return (records, result) }
                records += block.count
            }
            return (records, .records)
        }
        let ahead = try lane(3)
        var last: LineLane? = try lane(5)
        #expect(try drain(#require(last), fetches: 1).records == 1)
        let first = try drain(ahead)
        #expect(first.result == .nothingYet && first.records == LanePace.lead / LineLane.count + 1)
        #expect(try drain(#require(last), fetches: 3).records == 3)
        let second = try drain(ahead)
        #expect(second.result == .nothingYet && second.records == 3)
        last = nil
        let rest = try drain(ahead)
        #expect(rest.result == .endOfPartition && first.records + second.records + rest.records == 50)
    }

    @Test(
        "cut off at any byte, what is finished is given once, the rest when it is there", arguments: [1, 7, 20, 1000])
    func growing(chunkBytes: Int64) throws {
        let lines = [#"{"a":"}\\\"{"}"#, "", #" {"b":[{"c":2}]} "#, #"{"d":"ü"}"#]
        let whole = Array(lines.joined(separator: "\n").utf8)
        for cut in 0...whole.count {
            let file = try TextFile(Array(whole[..<cut]))
            var found: [String] = []
            var positions = [Int64](repeating: 0, count: LineLane.count)
            for size in [cut, whole.count] {
                try Data(whole[..<size]).write(to: URL(filePath: file.path))
                let input = try InputFile(eventType: "e", path: file.path)
                for lane in 0..<LineLane.count {
                    let part = try read(input, lane: lane, from: positions[lane], chunkBytes: chunkBytes, window: 3)
                    found += part.records.values
                    positions[lane] = part.next
                }
                // What was given of a file that is being written is given in full.
                #expect(found.allSatisfy { $0.contains("{") && $0.trimmingCharacters(in: .whitespaces).hasSuffix("}") })
            }
            let given = found.map { $0.trimmingCharacters(in: .whitespaces) }.sorted()
            #expect(
                given == lines.map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }.sorted(),
                "cut at \(cut)")
        }
    }

    @Test("an unfinished last record is told of with its place")
    func unfinished() throws {
        let input = try TextFile(Array("{}\n\n{\"a\":[1}".utf8))
        let file = try InputFile(eventType: "e", path: input.path)
        var places: [Int64] = []
        let lane = try LineLane(file, TopicPartition(topic: file.topic, partition: 0), at: 0) { places.append($0) }
        let block = RecordBlock()
        #expect(try lane.fetch(into: block, maxBytes: 1 << 20) == .records && block.count == 1)
        #expect(try lane.fetch(into: block, maxBytes: 1 << 20) == .endOfPartition)
        #expect(places == [4] && lane.position == 4)
    }

    @Test(
        "a last line that no end would make an object is given, for the decoder to refuse",
        arguments: ["garbage", "[1,2]", " \"{", "{}}", "{\"a\":1} {"])
    func lastIsNoObject(line: String) throws {
        let input = try TextFile(Array("{}\n\(line)".utf8))
        let file = try InputFile(eventType: "e", path: input.path)
        let lane = try LineLane(file, TopicPartition(topic: file.topic, partition: 0), at: 0) { _ in }
        let block = RecordBlock()
        #expect(try lane.fetch(into: block, maxBytes: 1 << 20) == .records && block.count == 2)
        #expect(try lane.fetch(into: block, maxBytes: 1 << 20) == .endOfPartition)
    }

    @Test("a record that is longer than the limit ends the reading with its place")
    func tooLong() throws {
        let long =
            Array("{}\n{\"a\":\"".utf8) + [UInt8](repeating: 97, count: LineLane.recordByteLimit) + Array("\"}\n".utf8)
        let input = try TextFile(long)
        let file = try InputFile(eventType: "e", path: input.path)
        let reader = try LineLane(file, TopicPartition(topic: file.topic, partition: 0), at: 0) { _ in }
        let block = RecordBlock()
        #expect(try reader.fetch(into: block, maxBytes: 1 << 20) == .records)
        let error = #expect(throws: PipelineError.self) { try reader.fetch(into: block, maxBytes: 1 << 20) }
        #expect(
            error?.code == .recordTooLarge && error?.message.contains("byte 3 ") == true, "\(String(describing: error))"
        )
    }

    @Test(
        "what is no input is refused with what to do",
        arguments: [
            ([0x1F, 0x8B, 8, 0], "gzip", "ingest"), (Array("a,b\n1,2\n".utf8), "neither", "ingest"),
            (Array("Obj\u{1}".utf8), "header", ""),
        ] as [([UInt8], String, String)])
    func refused(bytes: [UInt8], reason: String, hint: String) throws {
        let input = try TextFile(bytes)
        let error = #expect(throws: DiagnosticsError.self) { try InputFile(eventType: "e", path: input.path) }
        let finding = try #require(error?.diagnostics.items.first)
        #expect(finding.message.contains(reason), "\(finding)")
        #expect(hint.isEmpty || finding.hint?.contains(hint) == true)
    }

    @Test("a pipe without a writer is refused, not waited for; so is standard input", .timeLimit(.minutes(1)))
    func pipe() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "lanes-\(UUID())").path
        try #require(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        for (input, reason) in [(path, "no regular file"), ("-", "no standard input")] {
            let error = #expect(throws: DiagnosticsError.self) { try InputFile(eventType: "e", path: input) }
            let finding = try #require(error?.diagnostics.items.first)
            #expect(finding.message.contains(reason) && finding.hint?.contains("ingest") == true, "\(finding)")
        }
    }

    @Test("a container that is cut off says where, and what goes on behind it")
    func cutContainer() throws {
        // A header with the schema of a string, and the head of a block that claims more than there is.
        var bytes: [UInt8] = Array("Obj\u{1}".utf8) + [2, 22] + Array("avro.schema".utf8)
        bytes += [16] + Array("\"string\"".utf8) + [0] + [UInt8](repeating: 7, count: 16) + [2, 40, 1]
        let input = try TextFile(bytes)
        let file = try InputFile(eventType: "e", path: input.path)
        let lane = try ContainerLane(
            file, TopicPartition(topic: file.topic, partition: 0), at: 0, index: try #require(file.index))
        let error = #expect(throws: PipelineError.self) { try lane.fetch(into: RecordBlock(), maxBytes: 1 << 20) }
        #expect(error?.hint?.contains("ingest") == true && error?.message.contains("block") == true)
    }

    @Test("a file that is not there, and a folder")
    func missing() throws {
        let missing = #expect(throws: DiagnosticsError.self) {
            try InputFile(eventType: "e", path: "/nowhere/\(UUID()).ndjson")
        }
        #expect(missing?.exitCode == 3)
        #expect(throws: DiagnosticsError.self) {
            try InputFile(eventType: "e", path: FileManager.default.temporaryDirectory.path)
        }
    }
}
