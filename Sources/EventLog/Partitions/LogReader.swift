public import DataPath
import Diagnostics
import DurableFiles
import Glibc

/// Reads one partition in order, while others append. Takes no lock in the normal course. Threads: one.
public final class LogReader {
    public var topic: String { folder.topic }
    public var partition: Int { folder.partition }
    /// The offset that the next fetch begins at.
    public private(set) var position: Int64

    private let folder: PartitionFolder
    private var file: LogFile?
    private var base: Int64 = 0
    /// The next batch to read: where it begins, and its first offset (at most ``position``).
    private var bytePosition: Int64 = 0
    private var batchOffset: Int64 = 0
    /// An incomplete tail that was seen, and whether it was found to be only that.
    private var tail: (position: Int64, size: Int64, isConfirmed: Bool)?

    init(_ folder: PartitionFolder, at position: Int64) throws {
        self.folder = folder
        self.position = position
        _ = try locate()
    }

    /// Replaces the block's contents with the next records, up to about `maxBytes`, at least one batch. Does not wait.
    ///
    /// False when there is nothing to read now. Throws ``OffsetOutOfRange`` when retention overtook the reader, and
    /// `logCorrupted` for damage. Cost: one read a call when `maxBytes` is at least a batch (1 MiB).
    public func fetch(into block: RecordBlock, maxBytes: Int) throws -> Bool {
        block.removeAll()
        while true {
            guard try file != nil || locate(), let file else { return false }
            if try read(file, into: block, maxBytes: max(maxBytes, BatchHeader.size)) { return true }
            if try !nextSegment(file) { return false }
        }
    }

    public func close() { file = nil }

    // MARK: Reading batches

    /// Reads and decodes whole batches; false when there is none now.
    private func read(_ file: LogFile, into block: RecordBlock, maxBytes: Int) throws -> Bool {
        block.removeAll()
        block.reserve(maxBytes)
        var count = try file.read(into: block.bytes, count: maxBytes, at: bytePosition)
        var cursor = 0
        while cursor < count {
            var length = BatchHeader.size
            if cursor + length <= count {
                let header = BatchHeader(block.bytes + cursor)
                if let what = header.fault(expectedOffset: batchOffset) {
                    return try damage(what, file, into: block, maxBytes: maxBytes)
                }
                length = Int(header.byteCount)
                if cursor + length <= count {
                    if let what = fault(header, at: cursor, in: block) {
                        return try damage(what, file, into: block, maxBytes: maxBytes)
                    }
                    cursor += length
                    bytePosition += header.byteCount
                    batchOffset = header.nextOffset
                    position = max(position, batchOffset)
                    continue
                }
            }
            if !block.entries.isEmpty { break }
            // The batch is larger than what was read: read the rest of it, if the file has it.
            let size = try file.status().size
            guard bytePosition + Int64(length) <= size else { return try incomplete(file, size, into: block, maxBytes) }
            // Nothing before `cursor` is needed: what was decoded there gave no entry (it lies before the position).
            block.removeAll()
            block.reserve(length)
            count = try file.read(
                into: block.bytes, count: max(length, min(maxBytes, block.byteCapacity)), at: bytePosition)
            cursor = 0
            if count < length { return false }
        }
        block.byteCount = cursor
        return !block.entries.isEmpty
    }

    /// Checks and decodes the batch at `cursor`; returns what is wrong.
    private func fault(_ header: BatchHeader, at cursor: Int, in block: RecordBlock) -> String? {
        if BatchHeader.checksum(block.bytes + cursor, byteCount: header.byteCount) != header.crc {
            return "the CRC does not match"
        }
        if header.attributes != 0 {
            return "the batch has attributes \(header.attributes); compressed, transactional and control batches "
                + "are not supported yet"
        }
        return BatchDecoder.decode(header, at: cursor, in: block, from: position)
    }

    /// A damaged batch at ``bytePosition``. Records before it are handed on first.
    private func damage(_ what: String, _ file: LogFile, into block: RecordBlock, maxBytes: Int) throws -> Bool {
        if !block.entries.isEmpty { return true }
        let start = bytePosition
        let found = try underLock { () -> SegmentScanner.Fault? in
            let size = try file.status().size
            let scanner = SegmentScanner(file)
            let isLast = try folder.segmentBases().last == base
            if isLast, size <= start { return nil }
            if isLast, try scanner.isZero(from: start, size: size) { return nil }
            let place = try scanner.walk(from: start, offset: batchOffset, size: size, checking: true)
            // Sound now: a writer was repairing the tail when it was read. What a sound CRC covers stays as it was read.
            if place.position > start { return what.hasPrefix("the CRC") ? nil : .damaged(what) }
            return place.fault
        }
        if let found {
            let isTail = try folder.segmentBases().last == base
            throw LogErrors.corrupted(
                file.path, at: start, found.text,
                hint: isTail
                    ? "if the machine lost power, the next write to this partition cuts the damaged end and says so; "
                        + "otherwise put the file back from a copy" : nil)
        }
        return false
    }

    /// The file ends inside a batch: a writer is still appending it, or a crash tore it, and either way it is the end of
    /// the partition. It is damage if it stays so and whole batches follow, and then an error with its place.
    private func incomplete(_ file: LogFile, _ size: Int64, into block: RecordBlock, _ maxBytes: Int) throws -> Bool {
        if let tail, tail.position == bytePosition, tail.size == size {
            if tail.isConfirmed { return false }
            let start = bytePosition
            try underLock {
                let size = try file.status().size
                let scanner = SegmentScanner(file)
                let place = try scanner.walk(from: start, offset: batchOffset, size: size)
                if place.fault != nil,
                    try scanner.hasSoundBatch(after: place.position, offset: place.offset, size: size)
                {
                    throw LogErrors.corrupted(
                        file.path, at: place.position, "a damaged batch is followed by whole ones")
                }
            }
            self.tail?.isConfirmed = true
        } else {
            tail = (bytePosition, size, false)
        }
        return false
    }

    private func underLock<Result>(_ body: () throws -> Result) throws -> Result {
        guard let lock = try LogFile(reading: folder.lockPath) else { return try body() }
        return try lock.withLock(shared: true, body)
    }

    // MARK: Segments

    /// Finds the segment and the batch that hold ``position``; false when the partition has no segment yet.
    private func locate() throws -> Bool {
        while true {
            let bases = try folder.segmentBases()
            guard let earliest = bases.first else {
                if position != 0 { throw outOfRange(earliest: 0, next: 0) }
                return false
            }
            guard let start = bases.last(where: { $0 <= position }) else {
                throw outOfRange(earliest: earliest, next: try PartitionEnd.find(folder).next)
            }
            // Removed by retention since it was listed: look again.
            guard let found = try LogFile(reading: folder.segmentPath(start)) else { continue }
            let size = try found.status().size
            let place = try SegmentScanner(found).walk(from: 0, offset: start, size: size, until: position)
            if place.offset < position, place.position == size || place.fault != nil {
                // A damaged place before the position is reported by the fetch that would have to pass it.
                if place.fault == nil { throw outOfRange(earliest: earliest, next: place.offset) }
                if case .incomplete? = place.fault { throw outOfRange(earliest: earliest, next: place.offset) }
            }
            (file, base, bytePosition, batchOffset) = (found, start, place.position, place.offset)
            return true
        }
    }

    /// At the end of the open segment: goes on to the one that follows; false when there is none.
    private func nextSegment(_ finished: LogFile) throws -> Bool {
        if batchOffset != base, let found = try LogFile(reading: folder.segmentPath(batchOffset)) {
            (file, base, bytePosition) = (found, batchOffset, 0)
            tail = nil
            return true
        }
        let bases = try folder.segmentBases()
        guard let later = bases.first(where: { $0 > base }) else {
            if bases.last != base, let last = bases.last { throw outOfRange(earliest: bases[0], next: last) }
            return false
        }
        if bases[0] > batchOffset { throw outOfRange(earliest: bases[0], next: try PartitionEnd.find(folder).next) }
        // Rolled since the last read: the rest of this segment is complete now.
        let size = try finished.status().size
        let place = try SegmentScanner(finished).walk(from: bytePosition, offset: batchOffset, size: size)
        if place.offset > batchOffset { return true }
        if later == batchOffset { return true }
        throw LogErrors.corrupted(
            finished.path, at: bytePosition, "\(place.fault?.text ?? "the file ends") before offset \(later)")
    }

    private func outOfRange(earliest: Int64, next: Int64) -> OffsetOutOfRange {
        OffsetOutOfRange(topic: topic, partition: partition, position: position, earliest: earliest, next: next)
    }
}
