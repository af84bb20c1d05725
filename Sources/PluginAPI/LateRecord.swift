public import DataPath

/// A record that came too late for an aggregation, for the topic of late records.
///
/// There it is one record: key and value are the original's, unchanged; everything else is a header, the original's own
/// headers first, then ours, whose names begin with `late.`. docs/dead-letters.md lists them.
public struct LateRecord: Hashable, Sendable {
    /// The beginning of every header that is ours.
    public static let headerPrefix = "late."

    public var key: [UInt8]?
    public var value: [UInt8]?
    /// The original's own headers.
    public var headers: [DeadLetter.Header]
    public var partition: TopicPartition
    public var offset: Int64
    public var aggregation: String
    /// Why it was not counted.
    public var reason: String
    /// When it was found late, in milliseconds since the epoch.
    public var timeMilliseconds: Int64
    /// The aggregation's place in the configuration.
    public var configPlace: String?

    public init(
        key: [UInt8]?, value: [UInt8]?, headers: [DeadLetter.Header] = [], partition: TopicPartition, offset: Int64,
        aggregation: String, reason: String, timeMilliseconds: Int64, configPlace: String? = nil
    ) {
        self.key = key
        self.value = value
        self.headers = headers
        self.partition = partition
        self.offset = offset
        self.aggregation = aggregation
        self.reason = reason
        self.timeMilliseconds = timeMilliseconds
        self.configPlace = configPlace
    }

    /// The topic of a pipeline's late records.
    public static func topic(prefix: String) -> String { "\(prefix).late" }

    private var allHeaders: [(name: String, value: [UInt8])] {
        var all = headers.filter { !$0.name.hasPrefix(Self.headerPrefix) }.map { (name: $0.name, value: $0.value) }
        func put(_ name: String, _ text: String) { all.append((Self.headerPrefix + name, Array(text.utf8))) }
        put("version", "1")
        put("aggregation", aggregation)
        put("reason", reason)
        put("time", TextFormat.timestamp(timeMilliseconds))
        put("topic", partition.topic)
        put("partition", String(partition.partition))
        put("offset", String(offset))
        if let configPlace { put("config", configPlace) }
        return all
    }

    /// Appends the record; its timestamp is ``timeMilliseconds``.
    public func encode(into block: RecordBlock) {
        (key ?? []).withUnsafeBytes { keyBytes in
            (value ?? []).withUnsafeBytes { valueBytes in
                block.append(
                    key: key == nil ? nil : keyBytes, value: value == nil ? nil : valueBytes,
                    timestamp: timeMilliseconds, headers: allHeaders)
            }
        }
    }

    /// The record as bytes that can be kept in a checkpoint: time, lengths of key and value (-1 for none), key, value, headers.
    public func bytes() -> [UInt8] {
        var out: [UInt8] = []
        for number in [timeMilliseconds, Int64(key?.count ?? -1), Int64(value?.count ?? -1)] {
            withUnsafeBytes(of: number.littleEndian) { out.append(contentsOf: $0) }
        }
        return out + (key ?? []) + (value ?? []) + RecordHeaders.encode(allHeaders)
    }

    /// Appends a record that ``bytes()`` gave; false, and nothing, when they are not of one.
    public static func append(_ bytes: [UInt8], to block: RecordBlock) -> Bool {
        bytes.withUnsafeBytes { bytes in
            guard bytes.count >= 24 else { return false }
            func number(_ index: Int) -> Int64 {
                Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: Int64.self))
            }
            let lengths = [number(1), number(2)].map { Int(clamping: $0) }
            guard lengths.allSatisfy({ $0 >= -1 && $0 <= bytes.count }),
                24 + max(lengths[0], 0) + max(lengths[1], 0) <= bytes.count
            else { return false }
            let valueStart = 24 + max(lengths[0], 0)
            let end = valueStart + max(lengths[1], 0)
            block.append(
                key: lengths[0] < 0 ? nil : UnsafeRawBufferPointer(rebasing: bytes[24..<valueStart]),
                value: lengths[1] < 0 ? nil : UnsafeRawBufferPointer(rebasing: bytes[valueStart..<end]),
                timestamp: number(0),
                headers: RecordHeaders.decode(UnsafeRawBufferPointer(rebasing: bytes[end...])))
            return true
        }
    }
}
