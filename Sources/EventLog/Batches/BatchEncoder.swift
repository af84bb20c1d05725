import DataPath
import Diagnostics

/// Encodes records as record batches into one reused buffer. Base offsets and times of appending are left 0: they are
/// outside the CRC and are filled in when the batches are appended. Threads: one.
final class BatchEncoder {
    struct Batch {
        var start: Int
        var byteCount: Int
        var recordCount: Int
        var maxTimestamp: Int64
    }

    private(set) var bytes: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var batches: [Batch] = []

    init() {
        capacity = 1 << 16
        bytes = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { bytes.deallocate() }

    /// Replaces the contents with batches of the entries `order[0..<count]`, in that order.
    func encode(_ block: RecordBlock, order: UnsafePointer<Int32>, count: Int) throws(PipelineError) {
        batches.removeAll(keepingCapacity: true)
        let source = UnsafeRawPointer(block.bytes)
        var used = 0
        var index = 0
        while index < count {
            let start = used
            reserve(used, BatchHeader.size)
            used += BatchHeader.size
            let baseTimestamp = block.entries[Int(order[index])].timestamp
            var maxTimestamp = baseTimestamp
            var records = 0
            var tooLarge = false
            block.entries.withUnsafeBufferPointer { entries in
                while index < count, records < BatchHeader.maximumRecords {
                    let entry = entries[Int(order[index])]
                    let body = bodySize(entry, offsetDelta: records, baseTimestamp: baseTimestamp)
                    let size = body + varintSize(body)
                    if records > 0, used - start + size > BatchHeader.targetBytes { break }
                    if size > Int(Int32.max) - 4096 {
                        tooLarge = true
                        break
                    }
                    reserve(used, size)
                    write(entry, body: body, offsetDelta: records, baseTimestamp: baseTimestamp, from: source, at: used)
                    used += size
                    maxTimestamp = max(maxTimestamp, entry.timestamp)
                    records += 1
                    index += 1
                }
            }
            if tooLarge {
                throw PipelineError(
                    .logRecordTooLarge, "a record is larger than 2 GiB, the most that a record batch can hold",
                    component: "event log")
            }
            finish(start, used - start, records, baseTimestamp, maxTimestamp)
            batches.append(
                Batch(start: start, byteCount: used - start, recordCount: records, maxTimestamp: maxTimestamp))
        }
    }

    /// Gives a batch its place in the partition, and the time at which it comes there, in milliseconds since the epoch.
    func place(_ batch: Batch, at offset: Int64, time: Int64) {
        (bytes + batch.start).storeBytes(of: offset.bigEndian, as: Int64.self)
        (bytes + batch.start).storeBytes(
            of: UInt32(clamping: time / 1000).bigEndian, toByteOffset: 12, as: UInt32.self)
    }

    func contents(of batch: Batch) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes + batch.start, count: batch.byteCount)
    }

    private func reserve(_ used: Int, _ more: Int) {
        guard used + more > capacity else { return }
        let larger = max(capacity * 2, used + more)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        moved.copyMemory(from: bytes, byteCount: used)
        bytes.deallocate()
        (bytes, capacity) = (moved, larger)
    }

    private func finish(_ start: Int, _ size: Int, _ records: Int, _ baseTimestamp: Int64, _ maxTimestamp: Int64) {
        let header = bytes + start
        header.storeBytes(of: 0, as: Int64.self)
        header.storeBytes(of: Int32(size - BatchHeader.lengthPrefix).bigEndian, toByteOffset: 8, as: Int32.self)
        header.storeBytes(of: 0, toByteOffset: 12, as: Int32.self)
        header.storeBytes(of: 2, toByteOffset: 16, as: UInt8.self)
        header.storeBytes(of: 0, toByteOffset: 21, as: Int16.self)
        header.storeBytes(of: Int32(records - 1).bigEndian, toByteOffset: 23, as: Int32.self)
        header.storeBytes(of: baseTimestamp.bigEndian, toByteOffset: 27, as: Int64.self)
        header.storeBytes(of: maxTimestamp.bigEndian, toByteOffset: 35, as: Int64.self)
        header.storeBytes(of: -1, toByteOffset: 43, as: Int64.self)
        header.storeBytes(of: -1, toByteOffset: 51, as: Int16.self)
        header.storeBytes(of: -1, toByteOffset: 53, as: Int32.self)
        header.storeBytes(of: Int32(records).bigEndian, toByteOffset: 57, as: Int32.self)
        let crc = BatchHeader.checksum(UnsafeRawPointer(header), byteCount: Int64(size))
        header.storeBytes(of: crc.bigEndian, toByteOffset: 17, as: UInt32.self)
    }

    private func bodySize(_ entry: RecordBlock.Entry, offsetDelta: Int, baseTimestamp: Int64) -> Int {
        1 + varintSize(Int(entry.timestamp &- baseTimestamp)) + varintSize(offsetDelta)
            + varintSize(entry.keyLength) + max(entry.keyLength, 0)
            + varintSize(entry.valueLength) + max(entry.valueLength, 0)
            + max(entry.headersLength, 1)
    }

    private func write(
        _ entry: RecordBlock.Entry, body: Int, offsetDelta: Int, baseTimestamp: Int64, from source: UnsafeRawPointer,
        at position: Int
    ) {
        var cursor = bytes + position
        putVarint(body, &cursor)
        cursor.storeBytes(of: 0, as: UInt8.self)
        cursor += 1
        putVarint(Int(entry.timestamp &- baseTimestamp), &cursor)
        putVarint(offsetDelta, &cursor)
        putVarint(entry.keyLength, &cursor)
        if entry.keyLength > 0 {
            cursor.copyMemory(from: source + entry.keyStart, byteCount: entry.keyLength)
            cursor += entry.keyLength
        }
        putVarint(entry.valueLength, &cursor)
        if entry.valueLength > 0 {
            cursor.copyMemory(from: source + entry.valueStart, byteCount: entry.valueLength)
            cursor += entry.valueLength
        }
        // The block's headers are in the record format already, count first.
        if entry.headersLength > 0 {
            cursor.copyMemory(from: source + entry.headersStart, byteCount: entry.headersLength)
        } else {
            cursor.storeBytes(of: 0, as: UInt8.self)
        }
    }
}

/// Bytes of a zigzag varint.
@inline(__always)
func varintSize(_ value: Int) -> Int {
    let zigzag = UInt64(bitPattern: Int64((value &<< 1) ^ (value &>> 63)))
    return (70 &- (zigzag | 1).leadingZeroBitCount) / 7
}

@inline(__always)
func putVarint(_ value: Int, _ cursor: inout UnsafeMutableRawPointer) {
    var zigzag = UInt64(bitPattern: Int64((value &<< 1) ^ (value &>> 63)))
    while zigzag >= 0x80 {
        cursor.storeBytes(of: UInt8(truncatingIfNeeded: zigzag) | 0x80, as: UInt8.self)
        cursor += 1
        zigzag &>>= 7
    }
    cursor.storeBytes(of: UInt8(truncatingIfNeeded: zigzag), as: UInt8.self)
    cursor += 1
}
