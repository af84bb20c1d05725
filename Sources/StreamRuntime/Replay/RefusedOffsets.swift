internal import DataPath
internal import Diagnostics
internal import PluginAPI

/// The records of one partition that one consumer has read and not counted: bad ones, each by its offset.
///
/// A replayed record is counted by exactly the consumers that refused its original: so it cannot count twice, however
/// often it is sent, nor in a consumer that has meanwhile read the original anew. Part of a checkpoint. Neighbours share a
/// range, so a run of bad records costs as much as one.
struct RefusedOffsets: Equatable {
    struct Run: Equatable {
        var first: Int64
        var last: Int64
        /// The consumer's clock before these records, milliseconds; `Int64.min` when it had none. ``timed`` when the
        /// records have moved the clock themselves.
        var clock: Int64
    }

    /// Stands for a clock that the record has moved: its time is known and good.
    static let timed = Int64.max

    /// Where the consumer began to read the partition.
    private(set) var start: Int64
    /// Ascending, not touching unless their clocks differ.
    private(set) var runs: [Run] = []
    /// There were too many runs: of records before this offset it is not known whether they were refused.
    private(set) var unknownBefore = Int64.min

    /// More runs of bad records than this are not remembered.
    static let runLimit = 16_384

    init(start: Int64) { self.start = start }

    var isEmpty: Bool { runs.isEmpty && unknownBefore == .min }

    /// Adds one record; offsets before the last run's end are there already.
    mutating func add(_ offset: Int64, clock: Int64) {
        if let last = runs.last {
            guard offset > last.last else { return }
            if offset == last.last + 1, clock == last.clock {
                runs[runs.count - 1].last = offset
                return
            }
        }
        runs.append(Run(first: offset, last: offset, clock: clock))
        if runs.count > Self.runLimit {
            // Half at once, so that this is rare.
            let dropped = Self.runLimit / 2
            unknownBefore = runs[dropped - 1].last + 1
            runs.removeFirst(dropped)
        }
    }

    enum Answer: Equatable {
        /// It was counted, or the consumer began behind it.
        case counted
        /// It was refused, with this clock before it.
        case refused(clock: Int64)
        /// Nobody knows any more.
        case unknown
    }

    func answer(_ offset: Int64) -> Answer {
        if offset < start { return .counted }
        if offset < unknownBefore { return .unknown }
        return index(of: offset).map { .refused(clock: runs[$0].clock) } ?? .counted
    }

    /// The record has been counted now.
    mutating func remove(_ offset: Int64) {
        guard let index = index(of: offset) else { return }
        let run = runs[index]
        var rest: [Run] = []
        if run.first < offset { rest.append(Run(first: run.first, last: offset - 1, clock: run.clock)) }
        if offset < run.last { rest.append(Run(first: offset + 1, last: run.last, clock: run.clock)) }
        runs.replaceSubrange(index...index, with: rest)
    }

    private func index(of offset: Int64) -> Int? {
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].last < offset { low = middle + 1 } else { high = middle }
        }
        return low < runs.count && runs[low].first <= offset ? low : nil
    }
}

/// In a checkpoint: a section for each consumer and partition, whose one shard holds these numbers, little endian, 64 bits
/// each: start, unknownBefore, then first, last and clock of each run.
extension RefusedOffsets {
    /// No aggregation or event type has a name with a blank.
    private static func sectionName(_ consumer: String, _ partition: TopicPartition) -> String {
        "refused by \(consumer):\(partition.topic):\(partition.partition)"
    }

    /// What a checkpoint says of a consumer that has come to `position` in it. Where an older version wrote it, nothing is
    /// known of the records before.
    init(
        _ consumer: String, fingerprint: String, _ partition: TopicPartition, in checkpoint: Checkpoint?,
        position: Int64
    ) throws {
        self.init(start: 0)
        unknownBefore = position
        let section = checkpoint?.section(Self.sectionName(consumer, partition), fingerprint: fingerprint)
        guard let bytes = section?.shards.first else { return }
        let numbers = stride(from: 0, to: bytes.count - 7, by: 8).map { place in
            (0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[place + $1]) }
        }.map { Int64(bitPattern: $0) }
        guard bytes.count % 8 == 0, numbers.count >= 2, (numbers.count - 2) % 3 == 0 else {
            throw PipelineError(
                .stateDamaged, "the checkpoint's list of refused records cannot be read",
                hint: "run with --from-earliest to count everything anew")
        }
        start = numbers[0]
        unknownBefore = numbers[1]
        runs = stride(from: 2, to: numbers.count, by: 3).map {
            Run(first: numbers[$0], last: numbers[$0 + 1], clock: numbers[$0 + 2])
        }
    }

    func section(_ consumer: String, fingerprint: String, _ partition: TopicPartition) -> Checkpoint.Section {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16 + runs.count * 24)
        func put(_ number: Int64) { withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) } }
        put(start)
        put(unknownBefore)
        for run in runs {
            put(run.first)
            put(run.last)
            put(run.clock)
        }
        return Checkpoint.Section(
            name: Self.sectionName(consumer, partition), fingerprint: fingerprint, positions: [], shards: [bytes])
    }
}
