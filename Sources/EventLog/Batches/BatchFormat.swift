import DataPath

/// Kafka's record batch header, format v2. Source: Apache Kafka documentation, "Record Batch"; see docs/event-log.md.
struct BatchHeader {
    static let size = 61
    /// Bytes before the field that `batchLength` counts from.
    static let lengthPrefix = 12
    /// Where the part that the CRC covers begins.
    static let checkedStart = 21
    static let maximumRecords = 16_384
    static let targetBytes = 1 << 20

    var baseOffset: Int64
    /// Bytes of the whole batch, header and all.
    var byteCount: Int64
    /// Seconds since the epoch when the batch was appended; 0 in logs that do not say it. Where Kafka has the leader's epoch.
    var appendSeconds: UInt32
    var magic: UInt8
    var crc: UInt32
    var attributes: Int16
    var lastOffsetDelta: Int32
    var baseTimestamp: Int64
    var maxTimestamp: Int64
    var recordCount: Int32

    /// Reads the 61 bytes at `bytes`.
    init(_ bytes: UnsafeRawPointer) {
        baseOffset = Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
        byteCount = Int64(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: Int32.self))) + 12
        appendSeconds = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
        magic = bytes.load(fromByteOffset: 16, as: UInt8.self)
        crc = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 17, as: UInt32.self))
        attributes = Int16(bigEndian: bytes.loadUnaligned(fromByteOffset: 21, as: Int16.self))
        lastOffsetDelta = Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: 23, as: Int32.self))
        baseTimestamp = Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: 27, as: Int64.self))
        maxTimestamp = Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: 35, as: Int64.self))
        recordCount = Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: 57, as: Int32.self))
    }

    /// Milliseconds since the epoch. Small numbers are epochs that other software wrote.
    var appendTime: Int64 {
        appendSeconds < Self.firstAppendSeconds ? RecordBlock.Entry.unknownAppendTime : Int64(appendSeconds) * 1000
    }

    /// The beginning of 2020.
    private static let firstAppendSeconds: UInt32 = 1_577_836_800

    var nextOffset: Int64 { baseOffset &+ Int64(recordCount) }

    /// What is wrong with the header of a batch that should begin with `expectedOffset`; nil for nothing.
    func fault(expectedOffset: Int64) -> String? {
        if magic != 2 { return "the format byte is \(magic), not 2" }
        if byteCount < Int64(Self.size) + 7 { return "the batch length is too small" }
        if baseOffset != expectedOffset { return "the batch begins with offset \(baseOffset), not \(expectedOffset)" }
        if recordCount < 1 || Int64(recordCount) * 7 > byteCount - Int64(Self.size)
            || lastOffsetDelta != recordCount - 1
        {
            return "the record count does not fit the batch"
        }
        return nil
    }

    /// The CRC of a whole batch at `batch`.
    static func checksum(_ batch: UnsafeRawPointer, byteCount: Int64) -> UInt32 {
        CRC32C.checksum(UnsafeRawBufferPointer(start: batch + checkedStart, count: Int(byteCount) - checkedStart))
    }
}
