import DataPath
import Testing

/// What a worker does whose tables are full before the flush interval: it hands over, and only what nothing can change any
/// more is written.
@Suite("Hand-over before the interval")
struct EarlyHandOverTests {
    private static let groups = [
        ColumnSpec("flag", .boolean, isNullable: true),
        ColumnSpec("code", .string, isNullable: true, encoding: .dictionary),
        ColumnSpec("place", .string, isNullable: true),
        ColumnSpec("size", .decimal(precision: 38, scale: 2), isNullable: true),
    ]
    private static let measured = [
        ColumnSpec("yes", .boolean, isNullable: true), ColumnSpec("amount", .long, isNullable: true),
        ColumnSpec("weight", .double, isNullable: true),
        ColumnSpec("price", .decimal(precision: 38, scale: 2), isNullable: true),
        ColumnSpec("name", .string, isNullable: true),
        ColumnSpec("word", .string, isNullable: true, encoding: .dictionary),
    ]
    private static let columns = [ColumnSpec("timestamp", .timestamp)] + groups + measured
    /// How many values a column of ``groups`` or ``measured`` has, without null.
    private static let variety = [2, 3, 2, 2, 2, 40, 40, 40, 40, 40]

    private static func spec(lateness: Int64) -> AggregationSpec {
        AggregationSpec(
            name: "t", window: WindowSpec(durationMilliseconds: 40, slideMilliseconds: 20), groups: groups,
            measures: [MeasureSpec(name: "n", function: .count, column: nil, inputType: nil, resultType: .long)]
                + measured.flatMap(measures), watermarkDelayMilliseconds: 10, allowedLatenessMilliseconds: lateness)
    }

    private static func measures(over column: ColumnSpec) -> [MeasureSpec] {
        func measure(
            _ prefix: String, _ function: AggregateFunction, _ result: LogicalType, isStrict: Bool = false
        ) -> MeasureSpec {
            MeasureSpec(
                name: "\(prefix)_\(column.name)", function: function, column: column.name, inputType: column.type,
                resultType: result, isStrict: isStrict)
        }
        return [
            measure("n", .count, .long), measure("u", .countDistinct, .long),
            measure("us", .countDistinct, .long, isStrict: true), measure("lo", .min, column.type),
            measure("hi", .max, column.type),
        ]
    }

    private struct Row {
        var time: Int64
        /// Of ``groups`` and ``measured``.
        var cells: [Int?]
    }

    private static func rows() -> [Row] {
        var random = SeededGenerator(state: 77)
        var clock: Int64 = 0
        return (0..<2000).map { _ in
            clock += Int.random(in: 0..<12, using: &random) == 0 ? 1 : 0
            return Row(
                time: clock - Int64.random(in: 0...25, using: &random),
                cells: variety.map { count in
                    Int.random(in: 0..<4, using: &random) == 0 ? nil : Int.random(in: 0..<count, using: &random)
                })
        }
    }

    private static func text(_ value: Int?, _ column: ColumnSpec) -> String {
        value.map { AggregationCoverageTests.cell($0, column.type) } ?? "null"
    }

    /// Each row put into each of its windows that is open for it.
    private static func expected(_ rows: [Row], lateness: Int64) -> ResultTable {
        var members: [String: [Row]] = [:]
        var highest: Int64?
        for row in rows {
            let last = StreamCase.floorDiv(row.time, 20) * 20
            for start in [last, last - 20] where highest.map({ start + 40 + lateness > $0 - 10 }) ?? true {
                let group = zip(row.cells, groups).map { text($0, $1) }.joined(separator: "|")
                members["\(start)|\(start + 40)|\(group)", default: []].append(row)
            }
            highest = max(highest ?? row.time, row.time)
        }
        return members.mapValues { rows in
            let measures = measured.enumerated().flatMap { index, column in
                let values = rows.compactMap { $0.cells[groups.count + index] }
                let cells = Set(values.map { text($0, column) })
                // As false is less than true, and the values of strings have no order of their own.
                let isOrdered = column.type.physical != .boolean && column.type.physical != .bytes
                let extremes =
                    isOrdered
                    ? [text(values.min(), column), text(values.max(), column)]
                    : [cells.min() ?? "null", cells.max() ?? "null"]
                return ["\(values.count)", "\(cells.count)", "\(cells.count)"] + extremes
            }
            return (["\(rows.count)"] + measures).joined(separator: ",")
        }
    }

    private static func put(_ value: Int?, _ column: ColumnVector) {
        if let value { return AggregationCoverageTests.put(value, column) }
        switch column {
        case .boolean(let vector): vector.appendNull()
        case .int64(let vector): vector.appendNull()
        case .int128(let vector): vector.appendNull()
        case .double(let vector): vector.appendNull()
        case .bytes(let vector): vector.appendNull()
        case .dictionary(let vector, _): vector.appendNull()
        case .hash(let vector): vector.appendNull()
        }
    }

    /// - Parameter limit: Entries of the local tables above which they are handed over.
    private static func run(
        _ rows: [Row], lateness: Int64, _ mode: EmissionMode, limit: Int, shardCount: Int, key: HashKey
    ) throws -> (table: ResultTable, early: Int) {
        let spec = spec(lateness: lateness)
        let local = try LocalAggregator(spec: spec, hashKey: key)
        let shards = try (0..<shardCount).map { _ in try ShardAggregator(spec: spec, hashKey: key) }
        let batch = RecordBatch(schema: BatchSchema(columns))
        let input = try local.bind(batch.schema)
        var table: ResultTable = [:]
        var early = 0
        var highest = Int64.min
        func pass(watermark: Int64, onlyClosed: Bool) throws {
            for (number, partial) in try local.extract(shardCount: shardCount).enumerated() {
                guard let partial else { continue }
                // The first shard's as between processes.
                if number == 0 {
                    try partial.encoded().withUnsafeBytes { try shards[number].merge(encoded: $0) }
                } else {
                    try shards[number].merge(partial)
                }
            }
            #expect(local.entryCount == 0)
            for shard in shards {
                shard.advance(watermark: watermark)
                let out = RowOutput(schema: ShardAggregator.resultSchema(spec)) { batch in
                    for row in 0..<batch.rowCount {
                        let cells = batch.columns.map { StreamCase.cell($0, row) }
                        let name = cells[..<(2 + groups.count)].joined(separator: "|")
                        #expect(mode != .final || table[name] == nil, "\(name) is written twice")
                        table[name] = cells[(2 + groups.count)...].joined(separator: ",")
                    }
                }
                try shard.takeDue(mode, onlyClosed: onlyClosed, into: out)
                out.finish()
            }
        }
        for (number, start) in stride(from: 0, to: rows.count, by: 50).enumerated() {
            batch.removeAll()
            var maxima: [Int64] = []
            let slice = rows[start..<min(start + 50, rows.count)]
            for row in slice {
                maxima.append(highest)
                highest = max(highest, row.time)
                put(Int(row.time), batch.columns[0])
                for (cell, column) in zip(row.cells, batch.columns.dropFirst()) { put(cell, column) }
            }
            batch.rowCount = slice.count
            try local.update(input: input, batch: batch, runningMax: maxima)
            let isDue = number % 13 == 12
            guard isDue || local.entryCount > limit else { continue }
            if !isDue { early += 1 }
            try pass(watermark: highest - 10, onlyClosed: !isDue)
        }
        try pass(watermark: .max, onlyClosed: false)
        return (table, early)
    }

    @Test(
        "null groups and null values are counted as without it, by any number of shards and with any seed of the hashes",
        arguments: [EmissionMode.updates, .corrected, .final], [0, 15] as [Int64])
    func answers(_ mode: EmissionMode, _ lateness: Int64) throws {
        let rows = Self.rows()
        let expected = Self.expected(rows, lateness: lateness)
        var random = SeededGenerator(state: 78)
        let keys = [
            HashKey(k0: 1, k1: 2), HashKey(k0: .max, k1: 0), HashKey(k0: random.next(), k1: random.next()),
        ]
        for (number, key) in keys.enumerated() {
            for limit in [0, 700, .max] {
                let found = try Self.run(
                    rows, lateness: lateness, mode, limit: limit, shardCount: number + 1, key: key)
                #expect(limit == .max ? found.early == 0 : found.early > 10)
                let wrong = Set(expected.keys).union(found.table.keys).filter { expected[$0] != found.table[$0] }
                let first = wrong.min() ?? ""
                #expect(
                    wrong.isEmpty,
                    "\(key), limit \(limit): \(wrong.count) of \(expected.count): \(first): \(expected[first] ?? "-") / \(found.table[first] ?? "-")"
                )
            }
        }
    }

    /// A shard of a count over windows, and what feeds it single events.
    private final class Feed {
        let shard: ShardAggregator
        private let local: LocalAggregator
        private let batch = RecordBatch(schema: BatchSchema([ColumnSpec("timestamp", .timestamp)]))
        private let input: Int
        private let spec: AggregationSpec

        init(_ window: WindowSpec) throws {
            let key = HashKey(k0: 1, k1: 2)
            spec = AggregationSpec(
                name: "t", window: window, groups: [],
                measures: [MeasureSpec(name: "n", function: .count, column: nil, inputType: nil, resultType: .long)],
                watermarkDelayMilliseconds: 0, allowedLatenessMilliseconds: 20)
            shard = try ShardAggregator(spec: spec, hashKey: key)
            local = try LocalAggregator(spec: spec, hashKey: key)
            input = try local.bind(batch.schema)
        }

        func add(_ time: Int, after runningMax: Int64 = .min) throws {
            batch.removeAll()
            AggregationCoverageTests.put(time, batch.columns[0])
            batch.rowCount = 1
            try local.update(input: input, batch: batch, runningMax: [runningMax])
            for case let partial? in try local.extract(shardCount: 1) { try shard.merge(partial) }
        }

        /// Start, end and count of the rows that are written.
        func rows(early: Bool) throws -> [String] {
            var rows: [String] = []
            let out = RowOutput(schema: ShardAggregator.resultSchema(spec)) { batch in
                rows += (0..<batch.rowCount).map { row in
                    batch.columns.map { StreamCase.cell($0, row) }.joined(separator: " ")
                }
            }
            try shard.takeDue(.corrected, onlyClosed: early, into: out)
            out.finish()
            return rows
        }
    }

    @Test("windows within their allowed lateness wait for the interval, with their first row and with corrections")
    func corrections() throws {
        let feed = try Feed(WindowSpec(durationMilliseconds: 10))
        try feed.add(5)
        feed.shard.advance(watermark: 10)
        #expect(try feed.rows(early: true) == [])
        #expect(try feed.rows(early: false) == ["0 10 1"])
        for count in 2...4 {
            try feed.add(6)
            #expect(try feed.rows(early: true) == [])
            if count == 3 { #expect(try feed.rows(early: false) == ["0 10 3"]) }
        }
        #expect(try feed.rows(early: false) == ["0 10 4"])
        #expect(try feed.rows(early: false) == [])
    }

    @Test("a window that closes before the interval is written with what has changed, once")
    func closing() throws {
        let feed = try Feed(WindowSpec(durationMilliseconds: 10))
        try feed.add(5)
        feed.shard.advance(watermark: 10)
        #expect(try feed.rows(early: false) == ["0 10 1"])
        try feed.add(7)
        // One that was never written, and one that stays open.
        try feed.add(15)
        try feed.add(45)
        feed.shard.advance(watermark: 40)
        #expect(try feed.rows(early: true) == ["0 10 2", "10 20 1"])
        #expect(try feed.rows(early: false) == [])
        #expect(feed.shard.openGroups == 1)
        feed.shard.advance(watermark: 70)
        #expect(try feed.rows(early: true) == ["40 50 1"])
        #expect(feed.shard.openGroups == 0)
    }

    @Test("open windows are counted once each, also where a row is too late for the earlier ones of its time")
    func openWindows() throws {
        let feed = try Feed(WindowSpec(durationMilliseconds: 40, slideMilliseconds: 10))
        try feed.add(45)
        #expect(feed.shard.openWindows == 4)
        try feed.add(35, after: 75)
        #expect(feed.shard.openWindows == 4)
        try feed.add(55)
        #expect(feed.shard.openWindows == 5)
    }

    @Test("a window that closes takes nothing from one that overlaps it and stays open")
    func overlap() throws {
        let feed = try Feed(WindowSpec(durationMilliseconds: 20, slideMilliseconds: 10))
        try feed.add(5)
        feed.shard.advance(watermark: 10)
        #expect(try feed.rows(early: false) == ["-10 10 1"])
        try feed.add(6)
        feed.shard.advance(watermark: 30)
        #expect(try feed.rows(early: true) == ["-10 10 2"])
        #expect(try feed.rows(early: false) == ["0 20 2"])
        #expect(try feed.rows(early: false) == [])
    }
}
