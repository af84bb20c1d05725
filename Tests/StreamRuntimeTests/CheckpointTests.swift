import DataPath
import Diagnostics
import Foundation
import PluginAPI
import Testing

@testable import StreamRuntime

@Suite("Checkpoints")
final class CheckpointTests {
    private let root = NSTemporaryDirectory() + "streamplat-checkpoint-\(UUID().uuidString)"

    deinit { try? FileManager.default.removeItem(atPath: root) }

    static let file = StateFile(name: "state-5-7-1", offset: 0, length: 11, checksum: 0xD37C923A)

    /// In versions before 4 the second chain is missing.
    static let example = Checkpoint(
        sequence: 7, epoch: 5, hashKey: HashKey(k0: 1, k1: .max),
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
                ], shards: [[], [1, 2, 3]],
                chains: [[file], [file, StateFile(name: "state-5-7-1", offset: 0, length: 0, checksum: 0)]]),
            .init(name: "raw:purchase", fingerprint: "raw", positions: [], shards: []),
        ], stores: [.init(sink: "primary", table: "revenue", state: [9, 8])])

    /// ``example`` as other code than ours encodes it, by the layout that `Checkpoint+Coding.swift` states.
    static let golden: [UInt32: String] = [
        1:
            "U1BDSwEAAADpAAAAAAAAAPEVcGUHAAAAAAAAAAEAAAAAAAAA//////////8CAAAAAAAAAAcAAAAAAAAAcmV2ZW51ZQIAAAAAAAAA"
            + "ZjECAAAAAAAAAA8AAAAAAAAAZXZlbnRzLnB1cmNoYXNlAwAAAAAAAAAqAAAAAAAAAPv/////////DwAAAAAAAABldmVudHMucHVy"
            + "Y2hhc2UAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIACAAAAAAAAAAAAAAAAAAAAAwAAAAAAAAABAgMMAAAAAAAAAHJhdzpwdXJjaGFz"
            + "ZQMAAAAAAAAAcmF3AAAAAAAAAAAAAAAAAAAAAA==",
        2:
            "U1BDSwIAAAAhAQAAAAAAAJd3CwQHAAAAAAAAAAUAAAAAAAAAAQAAAAAAAAD//////////wIAAAAAAAAABwAAAAAAAAByZXZlbnVl"
            + "AgAAAAAAAABmMQIAAAAAAAAADwAAAAAAAABldmVudHMucHVyY2hhc2UDAAAAAAAAACoAAAAAAAAA+/////////8PAAAAAAAAAGV2"
            + "ZW50cy5wdXJjaGFzZQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgAIAAAAAAAAAAAAAAAAAAAADAAAAAAAAAAECAwwAAAAAAAAAcmF3"
            + "OnB1cmNoYXNlAwAAAAAAAAByYXcAAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAHAAAAAAAAAHByaW1hcnkHAAAAAAAAAHJldmVudWUC"
            + "AAAAAAAAAAkI",
        3:
            "U1BDSwMAAABYAQAAAAAAAEVJ8PsHAAAAAAAAAAUAAAAAAAAAAQAAAAAAAAD//////////wIAAAAAAAAABwAAAAAAAAByZXZlbnVl"
            + "AgAAAAAAAABmMQIAAAAAAAAADwAAAAAAAABldmVudHMucHVyY2hhc2UDAAAAAAAAACoAAAAAAAAA+/////////8PAAAAAAAAAGV2"
            + "ZW50cy5wdXJjaGFzZQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgAIAAAAAAAAAAAAAAAAAAAADAAAAAAAAAAECAwEAAAAAAAAACwAA"
            + "AAAAAABzdGF0ZS01LTctMQAAAAAAAAAACwAAAAAAAAA6knzTDAAAAAAAAAByYXc6cHVyY2hhc2UDAAAAAAAAAHJhdwAAAAAAAAAA"
            + "AAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAABwAAAAAAAABwcmltYXJ5BwAAAAAAAAByZXZlbnVlAgAAAAAAAAAJCA==",
        4:
            "U1BDSwQAAAC2AQAAAAAAAPuXXN8HAAAAAAAAAAUAAAAAAAAAAQAAAAAAAAD//////////wIAAAAAAAAABwAAAAAAAAByZXZlbnVl"
            + "AgAAAAAAAABmMQIAAAAAAAAADwAAAAAAAABldmVudHMucHVyY2hhc2UDAAAAAAAAACoAAAAAAAAA+/////////8PAAAAAAAAAGV2"
            + "ZW50cy5wdXJjaGFzZQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgAIAAAAAAAAAAAAAAAAAAAADAAAAAAAAAAECAwIAAAAAAAAAAQAA"
            + "AAAAAAALAAAAAAAAAHN0YXRlLTUtNy0xAAAAAAAAAAALAAAAAAAAADqSfNMCAAAAAAAAAAsAAAAAAAAAc3RhdGUtNS03LTEAAAAA"
            + "AAAAAAsAAAAAAAAAOpJ80wsAAAAAAAAAc3RhdGUtNS03LTEAAAAAAAAAAAAAAAAAAAAAAAAAAAwAAAAAAAAAcmF3OnB1cmNoYXNl"
            + "AwAAAAAAAAByYXcAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAcAAAAAAAAAcHJpbWFyeQcAAAAAAAAAcmV2ZW51ZQIA"
            + "AAAAAAAACQg=",
    ]

    /// A folder with the file of state that ``example`` names.
    private func folder() throws -> String {
        let path = "\(root)/\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let writer = try StateFileWriter(folder: path, name: "state-5-7-1")
        try ([4, 5, 6] as [UInt8]).withUnsafeBytes { try writer.append($0) }
        #expect(writer.finish() == Self.file)
        try writer.close()
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

    private func expectExample(_ loaded: Checkpoint?) throws {
        let loaded = try #require(loaded)
        #expect(loaded.sequence == 7)
        #expect(loaded.hashKey == Self.example.hashKey)
        #expect(loaded.sections.map(\.name) == ["revenue", "raw:purchase"])
        #expect(loaded.sections[0].positions.map(\.nextOffset) == [42, 0])
        #expect(loaded.sections[0].positions.map(\.maxEventTime) == [-5, .min])
        #expect(loaded.sections[0].shards == [[], [1, 2, 3]])
    }

    @Test("what was saved is loaded, the newest first, with the one before")
    func roundTrip() throws {
        let store = CheckpointStore(folder: try folder())
        #expect(try store.load().candidates.isEmpty)
        try store.save(Self.example)
        var next = Self.example
        next.sequence = 8
        try store.save(next)
        let loaded = try store.load()
        #expect(loaded.candidates.map(\.number) == [.init(epoch: 5, sequence: 8), .init(epoch: 5, sequence: 7)])
        #expect(loaded.warning == nil && loaded.highestEpoch == 5)
        try expectExample(loaded.candidates.last)
        #expect(loaded.candidates.last?.stores == Self.example.stores)
        try store.save(next, keepingPrevious: false)
        #expect(try store.load().candidates.map(\.sequence) == [8])
    }

    @Test("a checkpoint of this and of every older version is read from bytes that were kept", arguments: [1, 2, 3, 4])
    func goldenBytes(_ version: UInt32) throws {
        let bytes = [UInt8](try #require(Data(base64Encoded: Self.golden[version] ?? "")))
        let decoded = try Checkpoint(decoding: bytes)
        try expectExample(decoded)
        #expect(decoded.epoch == (version == 1 ? 0 : 5))
        #expect(decoded.stores == (version == 1 ? [] : Self.example.stores))
        let chains = version < 3 ? [] : version < 4 ? [[Self.file]] : Self.example.sections[0].chains
        #expect(decoded.sections[0].chains == chains)
        if version == Checkpoint.version { #expect(Self.example.encoded() == bytes) }
    }

    @Test("a damaged newest one: the one before is taken, and said", arguments: ["cut", "flipped", "emptied", "zeros"])
    func fallback(_ damage: String) throws {
        let folder = try folder()
        let store = CheckpointStore(folder: folder)
        let path = "\(folder)/checkpoint"
        try store.save(Self.example)
        var next = Self.example
        next.sequence = 8
        try store.save(next)
        func harm(_ path: String) throws {
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            switch damage {
            case "cut": bytes.removeLast(3)
            case "flipped": bytes[bytes.count / 2] ^= 1
            case "emptied": bytes = Data()
            default: bytes = Data(count: bytes.count)
            }
            try bytes.write(to: URL(fileURLWithPath: path))
        }
        try harm(path)
        let loaded = try store.load()
        #expect(loaded.candidates.map(\.sequence) == [7])
        #expect(loaded.warning?.contains(path) == true)
        try harm("\(path).previous")
        let error = #expect(throws: PipelineError.self) { try store.load() }
        #expect(error?.code == .checkpointUnreadable && error?.hint?.contains("--from-earliest") == true)
    }

    /// Saves a checkpoint with a new file of state, behind earlier parts of its only chain; gives the chain.
    @discardableResult
    private func save(
        _ sequence: UInt64, _ store: CheckpointStore, keepingPrevious: Bool = true, after earlier: [StateFile] = []
    ) throws -> [StateFile] {
        let writer = try StateFileWriter(folder: store.folder, name: "state-1-\(sequence)-0")
        for piece in 0..<3 {
            try [UInt8](repeating: UInt8(piece), count: 100).withUnsafeBytes { try writer.append($0) }
        }
        var checkpoint = Self.example
        checkpoint.sequence = sequence
        checkpoint.sections[0].chains = [earlier + [writer.finish()]]
        try writer.close()
        try store.save(checkpoint, keepingPrevious: keepingPrevious)
        return checkpoint.sections[0].chains[0]
    }

    private func stateFiles(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("state-") }.sorted()
    }

    @Test("files of state stay as long as one of the two checkpoints names them")
    func unusedState() throws {
        let folder = try folder()
        let store = CheckpointStore(folder: folder)
        try save(1, store)
        try save(2, store)
        #expect(try stateFiles(folder) == ["state-1-1-0", "state-1-2-0"])
        try save(3, store)
        #expect(try stateFiles(folder) == ["state-1-2-0", "state-1-3-0"])
        try save(4, store, keepingPrevious: false)
        #expect(try stateFiles(folder) == ["state-1-4-0"])
        #expect(try store.load().candidates.map(\.sequence) == [4])
    }

    @Test("the files of a chain stay until neither checkpoint names it")
    func unusedChains() throws {
        let folder = try folder()
        let store = CheckpointStore(folder: folder)
        var chain = try save(1, store)
        for sequence in 2...4 as ClosedRange<UInt64> { chain = try save(sequence, store, after: chain) }
        #expect(chain.count == 4)
        #expect(try stateFiles(folder) == (1...4).map { "state-1-\($0)-0" })
        chain = try save(5, store)
        // The one before still has the old chain.
        #expect(try stateFiles(folder) == (1...5).map { "state-1-\($0)-0" })
        try save(6, store, after: chain)
        #expect(try stateFiles(folder) == ["state-1-5-0", "state-1-6-0"])
        #expect(try store.load().candidates.map(\.sequence) == [6, 5])
    }

    @Test(
        "a damaged part of a chain is damage of every checkpoint that names it, and of no other", arguments: [1, 2, 3])
    func damagedChain(_ number: Int) throws {
        let folder = try folder()
        let store = CheckpointStore(folder: folder)
        let first = try save(1, store)
        let second = try save(2, store, after: first)
        try save(3, store, after: second)
        unlink("\(folder)/state-1-\(number)-0")
        guard number == 3 else {
            #expect(throws: PipelineError.self) { try store.load() }
            return
        }
        let loaded = try store.load()
        #expect(loaded.candidates.map(\.sequence) == [2] && loaded.warning?.contains("state-1-3-0") == true)
    }

    @Test("the epoch of a run is above that of every file that a checkpoint names")
    func epochOfFiles() throws {
        let store = CheckpointStore(folder: try folder())
        var checkpoint = Self.example
        checkpoint.epoch = 0
        try store.save(checkpoint)
        #expect(try store.load().highestEpoch == 5)
    }

    @Test("what a checkpoint wrote is the last part of each chain")
    func writtenBytes() {
        #expect(Self.example.writtenStateBytes == 11)
    }

    @Test("what a program that died was writing is removed; what was not finished is removed at once")
    func leftOver() throws {
        let folder = try folder()
        let store = CheckpointStore(folder: folder)
        try save(1, store)
        _ = FileManager.default.createFile(atPath: "\(folder)/state-1-2-0", contents: Data([1, 2]))
        do {
            let writer = try StateFileWriter(folder: folder, name: "state-1-2-1")
            try [1 as UInt8].withUnsafeBytes { try writer.append($0) }
        }
        #expect(try stateFiles(folder) == ["state-1-1-0", "state-1-2-0"])
        store.removeUnusedState()
        #expect(try stateFiles(folder) == ["state-1-1-0"])
    }

    @Test("nothing is removed while a checkpoint cannot be read")
    func unreadable() throws {
        let folder = try folder()
        let store = CheckpointStore(folder: folder)
        for sequence in [1, 2] as [UInt64] { try save(sequence, store) }
        var bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/checkpoint"))
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: URL(fileURLWithPath: "\(folder)/checkpoint"))
        store.removeUnusedState()
        #expect(try stateFiles(folder) == ["state-1-1-0", "state-1-2-0"])
    }

    @Test(
        "damaged state of the newest one: the one before is taken, and said",
        arguments: ["cut", "flipped", "header", "gone", "swapped"])
    func damagedState(_ damage: String) throws {
        let folder = try folder()
        let store = CheckpointStore(folder: folder)
        for sequence in [1, 2] as [UInt64] { try save(sequence, store) }
        let path = "\(folder)/state-1-2-0"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        switch damage {
        case "cut": bytes.removeLast(3)
        case "flipped": bytes[bytes.count / 2] ^= 1
        case "header": bytes[0] ^= 0xFF
        case "swapped": bytes = bytes[108..<216] + bytes[..<108] + bytes[216...]
        default: break
        }
        if damage == "gone" { unlink(path) } else { try bytes.write(to: URL(fileURLWithPath: path)) }
        let loaded = try store.load()
        #expect(loaded.candidates.map(\.sequence) == [1])
        #expect(loaded.warning?.contains(path) == true)
    }

    @Test("a name that leads out of the folder is damage")
    func foreignName() {
        for name in ["state-../x", "/etc/passwd", "state-1/../../x", "lock"] {
            var checkpoint = Self.example
            checkpoint.sections[0].chains[0][0].name = name
            #expect(throws: Checkpoint.DecodingFailure.damaged) { try Checkpoint(decoding: checkpoint.encoded()) }
        }
    }

    @Test("a crash between the two renames leaves the one before")
    func betweenRenames() throws {
        let folder = try folder()
        let store = CheckpointStore(folder: folder)
        try store.save(Self.example)
        try FileManager.default.moveItem(atPath: "\(folder)/checkpoint", toPath: "\(folder)/checkpoint.previous")
        let loaded = try store.load()
        #expect(loaded.candidates.map(\.sequence) == [7] && loaded.warning == nil)
    }

    @Test("one of a newer version is refused, though the one before is sound")
    func newer() throws {
        let folder = try folder()
        let store = CheckpointStore(folder: folder)
        for _ in 0..<2 { try store.save(Self.example) }
        var bytes = Self.example.encoded()
        bytes[4] = 9
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/checkpoint"))
        let error = #expect(throws: PipelineError.self) { try store.load() }
        #expect(error?.message.contains("has version 9, this program reads 1 to 4") == true)
    }

    @Test("a table that apply makes anew is in no checkpoint any more, nor is what its sink wanted to get back")
    func forget() throws {
        let folder = try folder()
        let store = CheckpointStore(folder: folder)
        for _ in 0..<2 { try store.save(Self.example) }
        try CheckpointMaintenance.forget(tables: ["revenue"], folder: folder)
        let loaded = try store.load().candidates
        #expect(loaded.map { $0.sections.map(\.name) } == [["raw:purchase"]])
        #expect(loaded.map(\.stores) == [[]] && loaded.map(\.epoch) == [0])
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
