import DataPath

/// Decodes the records of one batch that lies in a block's bytes.
enum BatchDecoder {
    private static let blank = RecordBlock.Entry(
        offset: 0, timestamp: 0, keyStart: 0, keyLength: -1, valueStart: 0, valueLength: -1)

    /// Appends an entry for each record whose offset is at least `from`; bytes stay where they are.
    ///
    /// Returns what is wrong, or nil. The header and the CRC have been checked; lengths are checked again here, because a
    /// writer of other software may have computed a right CRC over wrong records. After a fault no entry was added.
    static func decode(_ header: BatchHeader, at start: Int, in block: RecordBlock, from: Int64) -> String? {
        let base = UnsafeRawPointer(block.bytes)
        let end = start + Int(header.byteCount)
        let count = Int(header.recordCount)
        let skipped = Int(max(0, min(Int64(count), from &- header.baseOffset)))
        let first = block.entries.count
        let appendTime = header.appendTime
        block.entries.append(contentsOf: repeatElement(blank, count: count - skipped))
        let isSound = block.entries.withUnsafeMutableBufferPointer { entries -> Bool in
            var cursor = start + BatchHeader.size
            for index in 0..<count {
                var length = 0
                var timestampDelta = 0
                var offsetDelta = 0
                var keyLength = 0
                var valueLength = 0
                guard readVarint(base, &cursor, end, &length), length > 0, length <= end &- cursor else { return false }
                let recordEnd = cursor &+ length
                cursor &+= 1
                guard readVarint(base, &cursor, recordEnd, &timestampDelta),
                    readVarint(base, &cursor, recordEnd, &offsetDelta), offsetDelta == index,
                    readVarint(base, &cursor, recordEnd, &keyLength), keyLength <= recordEnd &- cursor
                else { return false }
                let keyStart = cursor
                cursor &+= max(keyLength, 0)
                guard readVarint(base, &cursor, recordEnd, &valueLength), valueLength <= recordEnd &- cursor else {
                    return false
                }
                let valueStart = cursor
                cursor &+= max(valueLength, 0)
                guard cursor < recordEnd else { return false }
                let hasHeaders = base.load(fromByteOffset: cursor, as: UInt8.self) != 0
                if !hasHeaders, cursor &+ 1 != recordEnd { return false }
                if index >= skipped {
                    entries[first &+ index &- skipped] = RecordBlock.Entry(
                        offset: header.baseOffset &+ Int64(index),
                        timestamp: header.baseTimestamp &+ Int64(timestampDelta),
                        keyStart: keyStart, keyLength: max(keyLength, -1), valueStart: valueStart,
                        valueLength: max(valueLength, -1), headersStart: hasHeaders ? cursor : 0,
                        headersLength: hasHeaders ? recordEnd &- cursor : 0, appendTime: appendTime)
                }
                cursor = recordEnd
            }
            return cursor == end
        }
        if isSound { return nil }
        block.entries.removeLast(block.entries.count - first)
        return "a record's lengths do not fit the batch"
    }

    @inline(__always)
    private static func readVarint(
        _ base: UnsafeRawPointer, _ cursor: inout Int, _ end: Int, _ value: inout Int
    ) -> Bool {
        var zigzag: UInt64 = 0
        var shift: UInt64 = 0
        while cursor < end, shift < 64 {
            let byte = base.load(fromByteOffset: cursor, as: UInt8.self)
            cursor &+= 1
            zigzag |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 {
                value = Int(Int64(bitPattern: zigzag &>> 1) ^ (0 &- Int64(bitPattern: zigzag & 1)))
                return true
            }
            shift &+= 7
        }
        return false
    }
}
