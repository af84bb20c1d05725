import DataPath
import Diagnostics
import EventLog
import Foundation

extension FuzzTarget {
    /// A segment of the event log: read to its end or to an error; appending to it keeps what could be read, puts the
    /// new record behind it, or is refused. An odd first byte repairs lengths, offsets and checksums first, so that the
    /// records behind them are reached.
    static let segment = FuzzTarget("segment") { input in
        guard let (variant, contents) = input.variant else { return }
        var bytes = Array(contents)
        if variant & 1 != 0 { repair(&bytes) }
        let folder = try SegmentFolder(bytes)
        let log = try EventLog(root: folder.root, options: EventLogOptions(fsync: .never))
        let before = try? records(log)
        let added = RecordBlock()
        [UInt8(ascii: "n")].withUnsafeBytes { added.append(key: nil, value: $0, timestamp: 5) }
        do {
            let producer = try log.makeProducer()
            try producer.send(added, to: "t")
            try producer.close()
        } catch is PipelineError {
            // Damage in the middle: nothing may be appended.
            return
        }
        guard let before else { return }
        let after = try records(log)
        try promise(after.count == before.count + 1, "\(before.count) records, then \(after.count)")
        try promise(Array(after.dropLast()) == before, "an append changed what was there before")
        try promise(after.last?.hasSuffix(" n") == true, "the last record is not the one that was appended")
    }

    /// All records as text; throws `PipelineError` for damage.
    private static func records(_ log: EventLog) throws -> [String] {
        let reader = try log.makeReader(topic: "t", partition: 0, at: 0)
        let block = RecordBlock()
        var result: [String] = []
        var next: Int64 = 0
        // An incomplete tail is judged when it is seen for the second time.
        for maxBytes in [100, 1 << 16] {
            while try reader.fetch(into: block, maxBytes: maxBytes) {
                try promise(!block.entries.isEmpty, "a fetch of no records")
                for entry in block.entries {
                    try promise(entry.offset == next, "offset \(entry.offset) in place of \(next)")
                    next += 1
                    let headers = block.headers(entry).map { "\($0.name)=\($0.value)" }.joined(separator: ",")
                    let (key, value) = (block.key(entry).map(text) ?? "-", block.value(entry).map(text) ?? "-")
                    result.append("\(entry.timestamp) \(headers) \(key) \(value)")
                }
            }
        }
        try promise(reader.position >= next, "the reader stands before what it has read")
        return result
    }

    private static func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Makes batches of the bytes: header fields that follow from the others are set, the rest stays.
    private static func repair(_ bytes: inout [UInt8]) {
        let headerSize = 61
        var (position, offset) = (0, Int64(0))
        bytes.withUnsafeMutableBytes { bytes in
            func put(_ value: some FixedWidthInteger, at place: Int) {
                bytes.storeBytes(of: value.bigEndian, toByteOffset: position + place, as: type(of: value))
            }
            while bytes.count - position >= headerSize {
                let stored = Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: position + 8, as: Int32.self))
                let room = bytes.count - position
                var size = Int(stored) + 12
                if size <= headerSize || size > room { size = room }
                let count = Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: position + 57, as: Int32.self))
                put(offset, at: 0)
                put(Int32(size - 12), at: 8)
                put(UInt8(2), at: 16)
                put(Int16(0), at: 21)
                put(count &- 1, at: 23)
                let checked = UnsafeRawBufferPointer(rebasing: bytes[position + 21..<position + size])
                put(CRC32C.checksum(checked), at: 17)
                position += size
                offset &+= Int64(count)
            }
        }
    }
}

/// An event log whose only partition holds one segment, in a temporary folder that goes away with it.
private final class SegmentFolder {
    let root: String

    init(_ segment: [UInt8]) throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("segment-\(UUID().uuidString)").path
        let log = try EventLog(root: root, options: EventLogOptions(fsync: .never))
        try log.createTopic("t", partitions: 1, config: [:])
        try Data(segment).write(to: URL(fileURLWithPath: "\(root)/topics/t/0/00000000000000000000.log"))
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }
}
