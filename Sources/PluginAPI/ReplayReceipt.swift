public import DataPath

/// Says in the dead-letter topic which letters have been sent again: a record whose `dlq.stage` is `replayed` and whose
/// value has a line `topic TAB partition TAB offset TAB retries` for each record that was sent.
public struct ReplayReceipt: Hashable, Sendable {
    public var records: [ReplayedRecord]

    public init(records: [ReplayedRecord]) { self.records = records }

    private static let stage = "replayed"

    /// Appends the record that stands for this receipt.
    public func encode(into block: RecordBlock, timestamp: Int64) {
        let lines = records.map {
            "\($0.partition.topic)\t\($0.partition.partition)\t\($0.offset)\t\($0.retryCount)\n"
        }
        let headers = [
            (name: DeadLetter.Name.version, value: Array("1".utf8)),
            (name: DeadLetter.Name.stage, value: Array(Self.stage.utf8)),
        ]
        Array(lines.joined().utf8).withUnsafeBytes {
            block.append(key: nil, value: $0, timestamp: timestamp, headers: headers)
        }
    }

    /// Reads a receipt back; nil when the record is none.
    public static func decode(_ entry: RecordBlock.Entry, in block: RecordBlock) -> ReplayReceipt? {
        let headers = block.headers(entry)
        func has(_ name: String, _ text: String) -> Bool {
            headers.contains { $0.name == name && $0.value == Array(text.utf8) }
        }
        guard has(DeadLetter.Name.version, "1"), has(DeadLetter.Name.stage, stage), let value = block.value(entry)
        else { return nil }
        let lines = String(decoding: value, as: UTF8.self).split(separator: "\n")
        return ReplayReceipt(
            records: lines.compactMap { line in
                let parts = line.split(separator: "\t")
                guard parts.count == 4, let partition = Int(parts[1]), let offset = Int64(parts[2]),
                    let retries = Int(parts[3])
                else { return nil }
                return ReplayedRecord(
                    partition: TopicPartition(topic: String(parts[0]), partition: partition), offset: offset,
                    retryCount: retries)
            })
    }
}
