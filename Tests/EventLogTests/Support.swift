import DataPath
import EventLog
import Foundation
import Synchronization

/// A folder that goes away with the test.
final class Scratch {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("eventlog-\(UUID().uuidString)").path
    let notes = Notes()

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func open(segmentBytes: Int64 = 64 << 20, now: @escaping @Sendable () -> Int64 = EventLogOptions.wallClock) throws
        -> EventLog
    {
        let notes = notes
        return try EventLog(
            root: path, options: EventLogOptions(fsync: .never, segmentBytes: segmentBytes, now: now),
            notify: { notes.add($0) })
    }

    func segments(_ topic: String = "t", _ partition: Int = 0) throws -> [String] {
        let folder = "\(path)/topics/\(topic)/\(partition)"
        return try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".log") }.sorted()
            .map { "\(folder)/\($0)" }
    }
}

final class Notes: Sendable {
    private let list = Mutex<[String]>([])
    var all: [String] { list.withLock { $0 } }
    func add(_ text: String) { list.withLock { $0.append(text) } }
}

struct Record: Equatable {
    var key: [UInt8]?
    var value: [UInt8]?
    var timestamp: Int64 = 0
    var headers: [String: [UInt8]] = [:]

    init(_ value: String, key: String? = nil) {
        self.key = key.map { Array($0.utf8) }
        self.value = Array(value.utf8)
    }

    init(key: [UInt8]?, value: [UInt8]?, timestamp: Int64, headers: [String: [UInt8]]) {
        (self.key, self.value, self.timestamp, self.headers) = (key, value, timestamp, headers)
    }
}

extension RecordBlock {
    convenience init(_ records: [Record]) {
        self.init()
        for record in records {
            func bytes(_ array: [UInt8]?, _ body: (UnsafeRawBufferPointer?) -> Void) {
                if let array { array.withUnsafeBytes(body) } else { body(nil) }
            }
            bytes(record.key) { key in
                bytes(record.value) { value in
                    append(
                        key: key, value: value, timestamp: record.timestamp,
                        headers: record.headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
                }
            }
        }
    }
}

extension EventLog {
    func write(_ records: [Record], to topic: String = "t") throws {
        let producer = try makeProducer()
        try producer.send(RecordBlock(records), to: topic)
        try producer.close()
    }

    func readAll(_ topic: String = "t", _ partition: Int = 0, at offset: Int64 = 0, maxBytes: Int = 1 << 20) throws
        -> [Record]
    {
        try makeReader(topic: topic, partition: partition, at: offset).readAll(maxBytes: maxBytes)
    }
}

extension LogReader {
    /// Everything up to the end; offsets must be dense.
    func readAll(maxBytes: Int = 1 << 20) throws -> [Record] {
        let block = RecordBlock()
        var records: [Record] = []
        var expected = position
        while try fetch(into: block, maxBytes: maxBytes) {
            for entry in block.entries {
                precondition(entry.offset == expected)
                expected += 1
                records.append(
                    Record(
                        key: block.key(entry).map { Array($0) }, value: block.value(entry).map { Array($0) },
                        timestamp: entry.timestamp,
                        headers: Dictionary(uniqueKeysWithValues: block.headers(entry).map { ($0.name, $0.value) })))
            }
        }
        return records
    }
}
