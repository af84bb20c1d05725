import Diagnostics
import DurableFiles
import Glibc

/// Walks the batch headers of a segment file, with or without checking contents. Threads: one.
final class SegmentScanner {
    /// Where a walk ended.
    struct Place {
        /// Byte behind the last whole batch.
        var position: Int64
        /// The offset that follows it.
        var offset: Int64
        /// Where that last batch begins; nil when the walk passed none.
        var lastBatchPosition: Int64?
        var maxTimestamp: Int64 = .min
        /// What is wrong at ``position``; nil at the end of the file.
        var fault: Fault?
    }

    enum Fault {
        /// The file ends inside the batch.
        case incomplete
        case damaged(String)

        var text: String {
            switch self {
            case .incomplete: "the file ends inside a batch"
            case .damaged(let what): what
            }
        }
    }

    private let file: LogFile
    private var buffer: UnsafeMutableRawPointer
    private var capacity = 1 << 16
    private var start: Int64 = 0
    private var count = 0

    init(_ file: LogFile) {
        self.file = file
        buffer = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// Walks from a batch boundary to the end of the file, to a fault, or to the batch that holds `target`.
    func walk(
        from position: Int64, offset: Int64, size: Int64, checking: Bool = false, until target: Int64? = nil
    ) throws(PipelineError) -> Place {
        var place = Place(position: position, offset: offset)
        while place.position < size {
            guard place.position + Int64(BatchHeader.size) <= size,
                let bytes = try window(at: place.position, BatchHeader.size)
            else {
                place.fault = .incomplete
                return place
            }
            let header = BatchHeader(bytes)
            if let what = header.fault(expectedOffset: place.offset) {
                place.fault = .damaged(what)
                return place
            }
            if place.position + header.byteCount > size {
                place.fault = .incomplete
                return place
            }
            if checking, try !isSound(header, at: place.position) {
                place.fault = .damaged("the CRC does not match")
                return place
            }
            if let target, header.nextOffset > target { return place }
            place.lastBatchPosition = place.position
            place.maxTimestamp = max(place.maxTimestamp, header.maxTimestamp)
            place.position += header.byteCount
            place.offset = header.nextOffset
        }
        return place
    }

    /// Whether the whole batch at `position` has a right CRC.
    func isSoundBatch(at position: Int64, size: Int64) throws(PipelineError) -> Bool {
        guard position + Int64(BatchHeader.size) <= size, let bytes = try window(at: position, BatchHeader.size) else {
            return false
        }
        let header = BatchHeader(bytes)
        guard position + header.byteCount <= size, header.byteCount > Int64(BatchHeader.size) else { return false }
        return try isSound(header, at: position)
    }

    /// Whether a whole, sound batch of a later offset begins anywhere behind `position`.
    func hasSoundBatch(after position: Int64, offset: Int64, size: Int64) throws(PipelineError) -> Bool {
        var candidate = position + 1
        while candidate + Int64(BatchHeader.size) <= size {
            guard let bytes = try window(at: candidate, BatchHeader.size) else { return false }
            if bytes.load(fromByteOffset: 16, as: UInt8.self) == 2 {
                let header = BatchHeader(bytes)
                if header.baseOffset > offset, header.baseOffset - offset < 1 << 40,
                    candidate + header.byteCount <= size,
                    header.fault(expectedOffset: header.baseOffset) == nil, try isSound(header, at: candidate)
                {
                    return true
                }
            }
            candidate += 1
        }
        return false
    }

    /// Whether there are only zero bytes from `position` on: what a power loss leaves of an append.
    func isZero(from position: Int64, size: Int64) throws(PipelineError) -> Bool {
        var cursor = position
        while cursor < size {
            let length = Int(min(size - cursor, 4096))
            guard let bytes = try window(at: cursor, length) else { return false }
            for index in 0..<length where bytes.load(fromByteOffset: index, as: UInt8.self) != 0 { return false }
            cursor += Int64(length)
        }
        return true
    }

    private func isSound(_ header: BatchHeader, at position: Int64) throws(PipelineError) -> Bool {
        guard let batch = try window(at: position, Int(header.byteCount)) else { return false }
        return BatchHeader.checksum(batch, byteCount: header.byteCount) == header.crc
    }

    /// `length` bytes of the file at `position`, from the buffer where it holds them; nil when the file ends before.
    private func window(at position: Int64, _ length: Int) throws(PipelineError) -> UnsafeRawPointer? {
        if position < start || position + Int64(length) > start + Int64(count) {
            if length > capacity {
                buffer.deallocate()
                capacity = length
                buffer = .allocate(byteCount: capacity, alignment: 16)
            }
            count = 0
            count = try file.read(into: buffer, count: capacity, at: position)
            start = position
            if count < length { return nil }
        }
        return UnsafeRawPointer(buffer + Int(position - start))
    }
}
