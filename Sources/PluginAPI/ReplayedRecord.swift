public import DataPath

/// What marks a record as one that was sent again: where the original is, and how often it was sent again.
///
/// A replayed record is the original's key, value and headers, followed by these headers of ours: `dlq.replay`,
/// `dlq.topic`, `dlq.partition`, `dlq.offset`, `dlq.retries`. A pipeline counts it only where it refused the original.
public struct ReplayedRecord: Hashable, Sendable {
    public var partition: TopicPartition
    public var offset: Int64
    /// 1 the first time.
    public var retryCount: Int

    public init(partition: TopicPartition, offset: Int64, retryCount: Int) {
        self.partition = partition
        self.offset = offset
        self.retryCount = retryCount
    }

    private static let mark = "dlq.replay"
    private static let markBytes: StaticString = "dlq.replay"

    /// The record that sends a letter's original again; its timestamp is the original's. Nil when the letter does not hold
    /// it as a topic held it: it came from a file or a table, or its value was cut off.
    public static func append(_ letter: DeadLetter, to block: RecordBlock) -> ReplayedRecord? {
        guard case .topic(let partition, let offset) = letter.origin, !letter.isTruncated else { return nil }
        let record = ReplayedRecord(partition: partition, offset: offset, retryCount: letter.retryCount + 1)
        var headers = letter.headers.map { (name: $0.name, value: $0.value) }
        func put(_ name: String, _ text: String) { headers.append((name, Array(text.utf8))) }
        put(mark, "1")
        put(DeadLetter.Name.topic, partition.topic)
        put(DeadLetter.Name.partition, String(partition.partition))
        put(DeadLetter.Name.offset, String(offset))
        put(DeadLetter.Name.retryCount, String(record.retryCount))
        (letter.key ?? []).withUnsafeBytes { key in
            (letter.value ?? []).withUnsafeBytes { value in
                block.append(
                    key: letter.key == nil ? nil : key, value: letter.value == nil ? nil : value,
                    timestamp: letter.recordTimestamp ?? letter.timeMilliseconds, headers: headers)
            }
        }
        return record
    }

    /// What a record says of itself; nil for one that is not marked.
    ///
    /// Cost: a record without headers, or without the mark among their bytes, is not decoded.
    public init?(_ entry: RecordBlock.Entry, in block: RecordBlock) {
        guard entry.headersLength > 0, block.headersContain(Self.markBytes, entry) else { return nil }
        var own: [String: String] = [:]
        for header in block.headers(entry) where header.name.hasPrefix(DeadLetter.headerPrefix) {
            own[header.name] = String(decoding: header.value, as: UTF8.self)
        }
        guard own[Self.mark] == "1", let topic = own[DeadLetter.Name.topic],
            let partition = own[DeadLetter.Name.partition].flatMap({ Int($0) }),
            let offset = own[DeadLetter.Name.offset].flatMap({ Int64($0) }),
            let retries = own[DeadLetter.Name.retryCount].flatMap({ Int($0) })
        else { return nil }
        self.init(
            partition: TopicPartition(topic: topic, partition: partition), offset: offset, retryCount: retries)
    }
}

extension RecordBlock {
    /// Whether the encoded headers hold the bytes of `text`; they may be a value's.
    fileprivate func headersContain(_ text: StaticString, _ entry: Entry) -> Bool {
        let start = bytes + entry.headersStart
        let (wanted, length) = (text.utf8Start, text.utf8CodeUnitCount)
        guard entry.headersLength >= length else { return false }
        for position in 0...(entry.headersLength - length) where start[position] == wanted[0] {
            var same = 1
            while same < length, start[position + same] == wanted[same] { same += 1 }
            if same == length { return true }
        }
        return false
    }
}
