internal import DataPath
internal import Diagnostics
internal import Glibc
internal import PluginAPI

/// Reads every ``count``th chunk of an NDJSON file: a partition of it. Threads: one.
///
/// A record belongs to the chunk in which it begins. Chunks are dealt in turn, so that readers of one file stay close to
/// each other in event time, and windows need not wait for a part of the file that is read last; one that is ahead all the same
/// waits (``LanePace``).
///
/// An offset is the byte at which a record begins, a position any place: reading goes on at the first record that begins
/// there or later. Blank lines are passed over, and so is a byte order mark. The last line may lack its end when it holds a
/// whole object; otherwise it is still being written, and is left to a later run.
final class LineLane: PartitionReader {
    /// Partitions of a file, as far as it has that many chunks.
    static let count = 8
    /// Bytes.
    static let chunkBytes: Int64 = 1 << 20
    /// The most bytes of a record.
    static let recordByteLimit = 16 << 20

    let partition: TopicPartition
    private let path: String
    private let descriptor: Int32
    private let size: Int64
    private let chunkBytes: Int64
    private var next: Int64
    private var chunkEnd: Int64
    /// Whether a record begins at ``next``.
    private var isAtRecord: Bool
    /// Whether the record at ``next`` is the file's last and not finished.
    private var isUnfinished = false
    private let numbering: (any RecordNumbering)?
    private let pace: LanePace
    private let tellUnfinished: (Int64) -> Void

    /// - Parameter tellUnfinished: Called with the byte at which the file's last record begins when that is not finished.
    init(
        _ file: InputFile, _ partition: TopicPartition, at offset: Int64, chunkBytes: Int64 = LineLane.chunkBytes,
        tellUnfinished: @escaping (Int64) -> Void
    ) throws(PipelineError) {
        self.tellUnfinished = tellUnfinished
        self.partition = partition
        self.chunkBytes = chunkBytes
        path = file.path
        (numbering, pace) = (file.lines, file.pace)
        size = file.size
        descriptor = open(file.absolutePath, O_RDONLY | O_CLOEXEC)
        // A position behind a record is still in the record's chunk.
        let chunk = offset > 0 ? (offset - 1) / chunkBytes : Int64(partition.partition)
        next = offset > 0 ? offset : chunk * chunkBytes
        chunkEnd = (chunk + 1) * chunkBytes
        isAtRecord = next == 0
        guard descriptor >= 0 else { throw failure() }
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
        guard Int(chunk % Int64(Self.count)) == partition.partition else {
            throw PipelineError(
                .inputNotReadable, "offset \(offset) does not lie in partition \(partition.partition) of '\(path)'",
                hint: "run with --from-earliest to count the file anew", component: "input")
        }
    }

    deinit {
        pace.leave(partition.partition)
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    var position: Int64 { next }
    /// The file's other lanes have about as much left.
    var knownEnd: Int64? { next + max(0, size - next) / Int64(Self.count) }

    func fetch(into block: RecordBlock, maxBytes: Int) throws -> FetchResult {
        var window = maxBytes
        while true {
            block.removeAll()
            if next >= chunkEnd {
                let following = chunkEnd / chunkBytes - 1 + Int64(Self.count)
                (next, chunkEnd, isAtRecord) = (following * chunkBytes, (following + 1) * chunkBytes, false)
            }
            guard next < size, !isUnfinished else {
                pace.leave(partition.partition)
                return .endOfPartition
            }
            guard pace.mayRead(Int(chunkEnd / chunkBytes) - 1, lane: partition.partition) else { return .nothingYet }
            let before = next
            try read(into: block, window: window)
            if block.count > 0 {
                block.holdsLines = true
                block.numbering = numbering
                return .records
            }
            // A record that is longer than the window.
            if next == before, !isUnfinished {
                guard window < Self.recordByteLimit else {
                    throw PipelineError(
                        .recordTooLarge,
                        "the record at byte \(next) of '\(path)' is longer than \(Self.recordByteLimit >> 20) MiB",
                        hint:
                            "`streamplat ingest` passes over such records: ingest the whole file and run with --from-earliest",
                        component: "input")
                }
                window = min(window * 2, Self.recordByteLimit)
            }
        }
    }

    /// Reads from ``next`` on what begins in the chunk, and moves ``next`` behind it.
    private func read(into block: RecordBlock, window: Int) throws(PipelineError) {
        // The end of the line before says where a record begins.
        let from = isAtRecord ? next : next - 1
        let count = try load(block, from, min(window, Int(size - from)))
        let bytes = block.bytes
        let isWhole = from + Int64(count) >= size
        var start = 0
        if !isAtRecord {
            guard let end = Self.lineEnd(bytes, 0, count) else {
                // Goes on one byte later than was looked at, as `from` goes back by one.
                next = isWhole ? max(size, chunkEnd) : min(from + Int64(count) + 1, chunkEnd)
                return
            }
            start = end + 1
        }
        let limit = Int(min(chunkEnd - from, Int64(count)))
        while start < limit {
            var found = Self.lineEnd(bytes, start, count)
            if found == nil, isWhole {
                if Self.isFinished(UnsafeBufferPointer(start: bytes + start, count: count - start)) {
                    found = count
                } else {
                    isUnfinished = true
                }
            }
            guard let end = found else { break }
            append(start, end, from, to: block)
            start = end + 1
        }
        next = from + Int64(start)
        isAtRecord = true
        if isUnfinished { tellUnfinished(next) }
    }

    /// Whether a line without an end is anything but the beginning of an object that is not closed yet: nothing can be added to
    /// make that an object.
    private static func isFinished(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = line.firstIndex(where: { !isBlank($0) }) else { return true }
        guard line[first] == UInt8(ascii: "{") else { return true }
        var depth = 0
        var isInText = false
        var isEscaped = false
        for byte in line[first...] {
            if isInText {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInText = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInText = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            if depth == 0 { return true }
        }
        return false
    }

    /// Space, tab, carriage return, and the bytes of a byte order mark.
    private static func isBlank(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x09, 0x0D, 0xEF, 0xBB, 0xBF: true
        default: false
        }
    }

    /// What a line may hold that is no record.
    static func isBlankOfLine(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0D || byte == 0x09 }

    /// How long the byte order mark is with which a file begins; 0 without one.
    static func markLength(_ head: UnsafeRawBufferPointer) -> Int {
        head.count >= 3 && head[0] == 0xEF && head[1] == 0xBB && head[2] == 0xBF ? 3 : 0
    }

    private func append(_ start: Int, _ end: Int, _ from: Int64, to block: RecordBlock) {
        let bytes = block.bytes
        // The first line begins at 0, also behind a byte order mark.
        let mark = from == 0 && start == 0 ? Self.markLength(UnsafeRawBufferPointer(start: bytes, count: end)) : 0
        let own = start + mark
        var first = own
        while first < end, Self.isBlankOfLine(bytes[first]) { first += 1 }
        guard first < end else { return }
        block.entries.append(
            RecordBlock.Entry(
                offset: from + Int64(start), timestamp: 0, keyStart: 0, keyLength: -1, valueStart: own,
                valueLength: end - own))
    }

    @inline(__always)
    private static func lineEnd(_ bytes: UnsafeMutablePointer<UInt8>, _ start: Int, _ count: Int) -> Int? {
        guard start < count, let found = memchr(bytes + start, 10, count - start) else { return nil }
        return UnsafeMutableRawPointer(bytes).distance(to: found)
    }

    /// Replaces the block's bytes by those of the file.
    private func load(_ block: RecordBlock, _ from: Int64, _ count: Int) throws(PipelineError) -> Int {
        block.reserve(count + RecordBlock.linePadding)
        while block.byteCount < count {
            let read = pread(
                descriptor, block.bytes + block.byteCount, count - block.byteCount, off_t(from) + block.byteCount)
            if read < 0, errno == EINTR { continue }
            guard read > 0 else { throw read == 0 ? shortened() : failure() }
            block.byteCount += read
        }
        (block.bytes + count).initialize(repeating: 0, count: RecordBlock.linePadding)
        return count
    }

    private func shortened() -> PipelineError {
        PipelineError(
            .inputNotReadable, "'\(path)' has become shorter while it was read",
            hint: "run it again when nobody writes the file; --from-earliest counts it anew", component: "input")
    }

    private func failure() -> PipelineError {
        PipelineError(
            .inputNotReadable, "cannot read '\(path)': \(String(cString: strerror(errno)))", component: "input")
    }

    func close() {}
}
