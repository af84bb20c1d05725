/// A run of log records (key, value, headers, timestamp) as they are fetched from or handed to a broker.
///
/// All bytes live in one buffer; the record arrays hold positions in it. A block is reused from fetch to fetch.
/// `@exclusivity(unchecked)`: no accesses overlap, and a run-time check per access would cost more than the access.
/// Threads: one at a time; `@unchecked Sendable` because queues hand it over whole.
public final class RecordBlock: @unchecked Sendable {
    /// One record's place in ``bytes``.
    public struct Entry: BitwiseCopyable, Sendable {
        /// Offset in the partition; unused in a block that is being produced.
        public var offset: Int64
        /// Milliseconds since the epoch.
        public var timestamp: Int64
        public var keyStart: Int
        /// -1 for a null key.
        public var keyLength: Int
        public var valueStart: Int
        /// -1 for a null value (a tombstone).
        public var valueLength: Int
        /// Where the encoded headers begin (``RecordHeaders``), and their length; 0 for none.
        public var headersStart: Int
        public var headersLength: Int
        /// When the broker took the record, milliseconds since the epoch; ``unknownAppendTime`` when that is not recorded.
        public var appendTime: Int64

        public static let unknownAppendTime = Int64.min

        public init(
            offset: Int64, timestamp: Int64, keyStart: Int, keyLength: Int, valueStart: Int, valueLength: Int,
            headersStart: Int = 0, headersLength: Int = 0, appendTime: Int64 = Entry.unknownAppendTime
        ) {
            self.offset = offset
            self.timestamp = timestamp
            self.keyStart = keyStart
            self.keyLength = keyLength
            self.valueStart = valueStart
            self.valueLength = valueLength
            self.headersStart = headersStart
            self.headersLength = headersLength
            self.appendTime = appendTime
        }
    }

    @exclusivity(unchecked) public private(set) var bytes: UnsafeMutablePointer<UInt8>
    @exclusivity(unchecked) public private(set) var byteCapacity: Int
    @exclusivity(unchecked) public var byteCount = 0
    @exclusivity(unchecked) public var entries: [Entry] = []
    /// The values are the lines of ``bytes`` that are not blank, in their order: each ends with a line end, but perhaps the
    /// last one, and ``linePadding`` bytes behind them can be read.
    @exclusivity(unchecked) public var holdsLines = false
    public static let linePadding = 64
    /// Of lines of a file, what knows their numbers there.
    @exclusivity(unchecked) public var numbering: (any RecordNumbering)?

    public init(byteCapacity: Int = 1 << 16) {
        self.byteCapacity = max(byteCapacity, 64)
        bytes = .allocate(capacity: self.byteCapacity)
    }

    deinit { bytes.deallocate() }

    public var count: Int { entries.count }

    /// Makes room for `count` more bytes after ``byteCount``. Pointers into ``bytes`` are invalid afterwards.
    public func reserve(_ count: Int) {
        guard byteCount + count > byteCapacity else { return }
        let larger = max(byteCapacity * 2, byteCount + count)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        moved.update(from: bytes, count: byteCount)
        bytes.deallocate()
        (bytes, byteCapacity) = (moved, larger)
    }

    public func removeAll() {
        byteCount = 0
        holdsLines = false
        numbering = nil
        entries.removeAll(keepingCapacity: true)
    }

    public func key(_ entry: Entry) -> UnsafeRawBufferPointer? {
        entry.keyLength < 0 ? nil : UnsafeRawBufferPointer(start: bytes + entry.keyStart, count: entry.keyLength)
    }

    public func value(_ entry: Entry) -> UnsafeRawBufferPointer? {
        entry.valueLength < 0 ? nil : UnsafeRawBufferPointer(start: bytes + entry.valueStart, count: entry.valueLength)
    }

    public func headers(_ entry: Entry) -> [(name: String, value: [UInt8])] {
        RecordHeaders.decode(
            UnsafeRawBufferPointer(start: bytes + entry.headersStart, count: entry.headersLength))
    }

    /// Appends one record, copying its parts.
    public func append(
        key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?, timestamp: Int64,
        headers: [(name: String, value: [UInt8])] = []
    ) {
        let encoded = RecordHeaders.encode(headers)
        reserve((key?.count ?? 0) + (value?.count ?? 0) + encoded.count)
        let keyStart = byteCount
        put(key)
        let valueStart = byteCount
        put(value)
        let headersStart = byteCount
        encoded.withUnsafeBytes { put($0) }
        entries.append(
            Entry(
                offset: 0, timestamp: timestamp, keyStart: keyStart, keyLength: key?.count ?? -1,
                valueStart: valueStart, valueLength: value?.count ?? -1, headersStart: headersStart,
                headersLength: encoded.count))
    }

    private func put(_ part: UnsafeRawBufferPointer?) {
        guard let part, let base = part.baseAddress else { return }
        UnsafeMutableRawPointer(bytes + byteCount).copyMemory(from: base, byteCount: part.count)
        byteCount += part.count
    }
}

/// Knows the numbers of a file's records, for whoever reads a part of it. Threads: any.
public protocol RecordNumbering: AnyObject, Sendable {
    /// As it was given.
    var fileName: String { get }
    /// The number of the record that begins at that byte; the file's first has 1. Takes the time to read the file up to there,
    /// the first time. Throws `PipelineError` `SP3201`.
    func number(ofRecordAt offset: Int64) throws -> Int
}

/// Record headers in Kafka's record format: count, then (name length, name, value length, value), zigzag varints.
public enum RecordHeaders {
    /// Empty for no headers.
    public static func encode(_ headers: [(name: String, value: [UInt8])]) -> [UInt8] {
        guard !headers.isEmpty else { return [] }
        var out: [UInt8] = []
        putVarint(headers.count, &out)
        for header in headers {
            putVarint(header.name.utf8.count, &out)
            out += header.name.utf8
            putVarint(header.value.count, &out)
            out += header.value
        }
        return out
    }

    /// Malformed bytes give the headers before the fault.
    public static func decode(_ bytes: UnsafeRawBufferPointer) -> [(name: String, value: [UInt8])] {
        var cursor = 0
        func take(_ count: Int) -> UnsafeRawBufferPointer? {
            guard count >= 0, cursor + count <= bytes.count else { return nil }
            defer { cursor += count }
            return UnsafeRawBufferPointer(rebasing: bytes[cursor..<cursor + count])
        }
        func varint() -> Int? {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while cursor < bytes.count, shift < 64 {
                let byte = bytes[cursor]
                cursor += 1
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return Int(Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)) }
                shift += 7
            }
            return nil
        }
        var headers: [(name: String, value: [UInt8])] = []
        guard let count = varint(), count > 0 else { return headers }
        for _ in 0..<count {
            guard let nameLength = varint(), let name = take(nameLength), let valueLength = varint(),
                let value = take(valueLength)
            else { break }
            headers.append((String(decoding: name, as: UTF8.self), Array(value)))
        }
        return headers
    }

    private static func putVarint(_ value: Int, _ out: inout [UInt8]) {
        var zigzag = UInt64(bitPattern: Int64(value << 1) ^ Int64(value >> 63))
        while zigzag >= 0x80 {
            out.append(UInt8(truncatingIfNeeded: zigzag) | 0x80)
            zigzag >>= 7
        }
        out.append(UInt8(zigzag))
    }
}
