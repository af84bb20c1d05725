import Diagnostics
import DurableFiles
import Glibc

/// Appends batches to one partition, beside other writers of this and other processes. Threads: one.
final class PartitionWriter {
    let folder: PartitionFolder
    var topicConfig: TopicConfig
    let options: EventLogOptions
    let notify: @Sendable (String) -> Void
    private let lock: LogFile
    /// The last segment as this writer knows it: whole batches up to `end`, then offset `next`.
    private var segment: LogFile?
    private var base: Int64 = 0
    private var end: Int64 = 0
    private var next: Int64 = 0
    private var maxTimestamp: Int64 = .min
    private var isDirty = false
    private var lastSync: Int64

    /// Opens the partition for writing: repairs a torn tail and applies retention.
    init(
        _ folder: PartitionFolder, config: TopicConfig, options: EventLogOptions,
        notify: @escaping @Sendable (String) -> Void
    ) throws {
        self.folder = folder
        topicConfig = config
        self.options = options
        self.notify = notify
        lastSync = options.now()
        lock = try LogFile(path: folder.lockPath, flags: O_RDWR | O_CREAT)
        try lock.withLock {
            try catchUp()
            try rollIfExpired()
            try applyRetention()
        }
    }

    /// Appends all batches of the encoder, in order.
    func append(_ encoder: BatchEncoder) throws {
        try lock.withLock {
            guard try lock.status().linkCount > 0 else {
                throw PipelineError(
                    .logNotAccessible, "the folder \(folder.path) was removed while it was written to",
                    hint: "start the command again", component: folder.label)
            }
            try catchUp()
            try rollIfExpired()
            for batch in encoder.batches {
                if end > 0, end + Int64(batch.byteCount) > topicConfig.segmentBytes ?? options.segmentBytes {
                    try roll()
                }
                try append(batch, of: encoder)
            }
            try synchronizeAsConfigured()
        }
    }

    /// Makes what was appended durable, unless the log is configured never to.
    func flush() throws {
        guard options.fsync != .never, isDirty, let segment else { return }
        try segment.synchronize()
        (isDirty, lastSync) = (false, options.now())
    }

    private func append(_ batch: BatchEncoder.Batch, of encoder: BatchEncoder) throws {
        guard let segment else { throw PipelineError(.logClosed, "no segment is open", component: folder.label) }
        encoder.place(batch, at: next, time: options.now())
        isDirty = true
        do {
            try segment.write(encoder.contents(of: batch), at: end)
        } catch {
            // What was written of the batch must not stay as a torn tail for others.
            try segment.truncate(to: end)
            throw error
        }
        end += Int64(batch.byteCount)
        next += Int64(batch.recordCount)
        maxTimestamp = max(maxTimestamp, batch.maxTimestamp)
    }

    private func synchronizeAsConfigured() throws {
        switch options.fsync {
        case .never: break
        case .always: try flush()
        case .interval(let milliseconds): if options.now() - lastSync >= milliseconds { try flush() }
        }
    }

    // MARK: Catching up

    /// Takes in what others appended and where they rolled to; repairs a torn tail. Under the lock.
    private func catchUp() throws {
        var opened = false
        if let current = segment {
            let status = try current.status()
            if status.linkCount == 0 {
                try openLastSegment()
                opened = true
            } else if status.size < end {
                throw LogErrors.corrupted(
                    current.path, at: status.size, "the file is shorter than what was written to it")
            }
        } else {
            try openLastSegment()
            opened = true
        }
        guard let current = segment else { return }
        let size = try current.status().size
        if size > end { try walk(current, size: size, isFirstLook: opened) }
        if !opened, next != base, Folder.exists(folder.segmentPath(next)) {
            try openLastSegment()
            if let newest = segment {
                let size = try newest.status().size
                if size > end { try walk(newest, size: size, isFirstLook: true) }
            }
        }
    }

    private func openLastSegment() throws {
        if isDirty, options.fsync != .never, let segment { try segment.synchronize() }
        isDirty = false
        base = try folder.segmentBases().last ?? 0
        segment = try LogFile(path: folder.segmentPath(base), flags: O_RDWR | O_CREAT)
        (end, next, maxTimestamp) = (0, base, .min)
    }

    private func walk(_ file: LogFile, size: Int64, isFirstLook: Bool) throws {
        let scanner = SegmentScanner(file)
        var place = try scanner.walk(from: end, offset: next, size: size)
        // A power loss can leave a last batch whose header is whole and whose contents are not.
        if isFirstLook, let last = place.lastBatchPosition, try !scanner.isSoundBatch(at: last, size: size) {
            place = try scanner.walk(from: end, offset: next, size: size, checking: true)
        }
        if let fault = place.fault {
            if try scanner.hasSoundBatch(after: place.position, offset: place.offset, size: size) {
                throw LogErrors.corrupted(
                    file.path, at: place.position, "\(fault.text), and whole batches follow; nothing was appended")
            }
            try file.truncate(to: place.position)
            notify(
                "\(folder.label): cut \(size - place.position) bytes of a torn batch "
                    + (place.offset > base ? "after offset \(place.offset - 1)" : "at the beginning of a segment"))
        }
        (end, next) = (place.position, place.offset)
        maxTimestamp = max(maxTimestamp, place.maxTimestamp)
    }

    // MARK: Segments

    private func roll() throws {
        guard let finished = segment, next > base else { return }
        if options.fsync != .never { try finished.synchronize() }
        segment = try LogFile(path: folder.segmentPath(next), flags: O_RDWR | O_CREAT)
        if options.fsync != .never { try Folder.synchronize(folder.path) }
        (base, end, maxTimestamp, isDirty) = (next, 0, .min, false)
        try applyRetention()
    }

    /// Begins a new segment when all of the last one has expired, so that retention can remove it.
    private func rollIfExpired() throws {
        guard end > 0, let retention = topicConfig.retentionMilliseconds, let segment else { return }
        let limit = options.now() - retention
        if maxTimestamp < limit, try segment.status().modifiedMilliseconds < limit { try roll() }
    }

    /// Removes expired segments, oldest first, never the last.
    private func applyRetention() throws {
        guard topicConfig.retentionMilliseconds != nil || topicConfig.retentionBytes != nil else { return }
        var bases = try folder.segmentBases()
        bases.removeAll { $0 >= base }
        var finished: [(base: Int64, size: Int64, modified: Int64)] = []
        for base in bases {
            guard let file = try LogFile(reading: folder.segmentPath(base)) else { continue }
            let status = try file.status()
            finished.append((base, status.size, status.modifiedMilliseconds))
        }
        var total = finished.reduce(end) { $0 + $1.size }
        for segment in finished {
            let isSurplus = topicConfig.retentionBytes.map { total - segment.size >= $0 } ?? false
            guard try isSurplus || hasExpired(segment.base, segment.size, modified: segment.modified) else { break }
            try Folder.removeFile(folder.segmentPath(segment.base))
            total -= segment.size
        }
    }

    private func hasExpired(_ base: Int64, _ size: Int64, modified: Int64) throws -> Bool {
        guard let retention = topicConfig.retentionMilliseconds else { return false }
        let limit = options.now() - retention
        guard modified < limit, let file = try LogFile(reading: folder.segmentPath(base)) else { return false }
        let place = try SegmentScanner(file).walk(from: 0, offset: base, size: size)
        // A damaged segment is kept: its highest timestamp is not known.
        return place.fault == nil && place.maxTimestamp < limit
    }
}
