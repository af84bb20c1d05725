/// The first stage of an aggregation: one thread counts its batches into deltas, which ``extract(shardCount:)`` hands over.
///
/// Lateness is judged per row: `runningMax[row]` is the highest event time that the row's partition had before that row. A
/// row whose windows its partition has all closed is late and not counted. A watermark that was forced past a partition (one
/// that was idle) must be in that partition's `runningMax` too.
/// After a thrown error the aggregator's state is undefined: go back to the last checkpoint. Threads: one at a time.
public final class LocalAggregator {
    /// What became of a batch's selected rows.
    public struct UpdateCounts: Hashable, Sendable {
        public var counted = 0
        public var late = 0
        /// Of a session, rows before their floor, among the counted: the shard finds out whether they are late.
        public var maybeLate = 0
        /// Rows without a usable event time: null, or beyond ``WindowCalendar/timeLimit``.
        public var untimed = 0
        /// Rows between windows, when the slide is longer than the duration.
        public var outside = 0
    }

    let spec: AggregationSpec
    let hashKey: HashKey
    let calendar: WindowCalendar
    let sessionClock: SessionClock
    let layout: GroupKeyLayout
    let table: GroupTable
    var measures: [any MeasureStates]
    var inputs: [InputBinding] = []
    let encoder: GroupKeyEncoder
    let paneSlots = PaneSlots()
    let scratch = AggregationScratch()
    /// The batch rows that the last update found late.
    public internal(set) var lateRows: [Int32] = []
    /// Of a session, the batch rows that the last update counted and that may be late, and where they are counted.
    public internal(set) var maybeLateRows: [MaybeLateRow] = []
    /// What ``keep(_:of:)`` was given since the last extract.
    var keptRecords: [(group: Int32, record: [UInt8])] = []

    /// A row whose lateness the shard finds out.
    public struct MaybeLateRow: Sendable {
        public var row: Int32
        var group: Int32
    }

    /// Keeps the record of such a row, in a form of the caller's choice, until the shard knows: it gives back those that
    /// were late. Must be called before the next update.
    public func keep(_ record: [UInt8], of row: MaybeLateRow) { keptRecords.append((row.group, record)) }

    /// Holds the memory of the tables; nil = no bound.
    let account: MemoryAccount?

    /// Throws ``AggregationError`` for a specification that the engine does not compute.
    ///
    /// - Parameter account: What the deltas hold is counted there after each update, which throws
    ///   ``AggregationError/memoryLimit(_:)`` when it is too much. Nobody else uses it.
    public init(spec: AggregationSpec, hashKey: HashKey, account: MemoryAccount? = nil) throws(AggregationError) {
        self.account = account
        self.spec = spec
        self.hashKey = hashKey
        calendar = try WindowCalendar(spec)
        layout = GroupKeyLayout(spec.groups)
        table = GroupTable(wordCount: layout.wordCount)
        sessionClock = SessionClock(calendar)
        measures = try spec.makeStates(hashKey: hashKey)
        encoder = GroupKeyEncoder(layout)
    }

    /// Groups (per pane) since the last extract.
    public var groupCount: Int { table.count }
    /// Groups, and the values that are kept one by one (for distinct counts), since the last extract.
    public var entryCount: Int { table.count + measures.reduce(0) { $0 + $1.keptValues } }
    public var memoryBytes: Int {
        table.memoryBytes + measures.reduce(0) { $0 + $1.memoryBytes }
            + encoder.strings.reduce(0) { $0 + $1.memoryBytes }
    }

    /// Finds the columns in batches of one schema and returns the number to call ``update`` with.
    public func bind(_ schema: BatchSchema, timestamp: String = "timestamp") throws(AggregationError) -> Int {
        guard let time = schema.index(of: timestamp) else { throw .missingColumn(timestamp) }
        guard schema.columns[time].type.physical == .int64 else { throw .wrongLayout(column: timestamp) }
        var groups: [Int] = []
        for group in spec.groups {
            guard let index = schema.index(of: group.name) else { throw .missingColumn(group.name) }
            let column = schema.columns[index]
            guard column.type.physical == group.type.physical, column.encoding != .hash else {
                throw .wrongLayout(column: group.name)
            }
            groups.append(index)
        }
        var measured: [Int?] = []
        for measure in spec.measures {
            guard let name = measure.column else {
                guard measure.function == .count else { throw .missingColumn(measure.name) }
                measured.append(nil)
                continue
            }
            guard let index = schema.index(of: name) else { throw .missingColumn(name) }
            measured.append(index)
        }
        inputs.append(InputBinding(timestamp: time, groups: groups, measures: measured))
        return inputs.count - 1
    }
}

/// Where one input's columns are, and what is known of its dictionaries.
final class InputBinding {
    let timestamp: Int
    let groups: [Int]
    let measures: [Int?]
    let groupCodes: [CodeCache<UInt32>]
    let measureHashes: [CodeCache<Hash128>]

    init(timestamp: Int, groups: [Int], measures: [Int?]) {
        self.timestamp = timestamp
        self.groups = groups
        self.measures = measures
        groupCodes = groups.map { _ in CodeCache() }
        measureHashes = measures.map { _ in CodeCache() }
    }
}

/// Something for every code of a dictionary, kept while the dictionary keeps its codes.
final class CodeCache<Value: BitwiseCopyable> {
    private var dictionary: StringDictionary?
    private var generation = -1
    private(set) var values: [Value] = []

    /// Computes what is new since the last call.
    func refresh(for dictionary: StringDictionary, _ make: (UnsafeRawBufferPointer) -> Value) {
        if self.dictionary !== dictionary || generation != dictionary.generation {
            values.removeAll(keepingCapacity: true)
            (self.dictionary, generation) = (dictionary, dictionary.generation)
        }
        for code in values.count..<dictionary.count { values.append(make(dictionary[UInt32(code)])) }
    }

    func removeAll() {
        values.removeAll()
        dictionary = nil
    }
}

/// Working memory of one batch, kept from batch to batch.
final class AggregationScratch {
    private(set) var identity: UnsafeMutablePointer<Int32> = .allocate(capacity: 0)
    private(set) var rows: UnsafeMutablePointer<Int32> = .allocate(capacity: 0)
    private(set) var slots: UnsafeMutablePointer<Int32> = .allocate(capacity: 0)
    private(set) var groups: UnsafeMutablePointer<Int32> = .allocate(capacity: 0)
    private(set) var groupOfRow: UnsafeMutablePointer<Int32> = .allocate(capacity: 0)
    private(set) var keys: UnsafeMutablePointer<UInt64> = .allocate(capacity: 0)
    private var capacity = 0

    deinit { free() }

    func reserve(_ rowCount: Int, wordCount: Int) {
        guard rowCount > capacity else { return }
        free()
        capacity = max(rowCount, capacity * 2, 1024)
        identity = .allocate(capacity: capacity)
        for row in 0..<capacity { identity[row] = Int32(row) }
        rows = .allocate(capacity: capacity)
        slots = .allocate(capacity: capacity)
        groups = .allocate(capacity: capacity)
        groupOfRow = .allocate(capacity: capacity)
        keys = .allocate(capacity: capacity * wordCount)
        // Padding between the columns of a key is never written again.
        keys.initialize(repeating: 0, count: capacity * wordCount)
    }

    private func free() {
        for pointer in [identity, rows, slots, groups, groupOfRow] { pointer.deallocate() }
        keys.deallocate()
    }
}
