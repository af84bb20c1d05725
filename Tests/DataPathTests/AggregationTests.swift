import DataPath
import Testing

/// A row of the test stream.
struct TestRow {
    var partition: Int
    var time: Int64
    var country: String?
    var shop: Int64?
    var amount: Double?
    var units: Int64?
    var user: String?
}

/// A small seeded generator (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Python's `math.fsum` (Shewchuk's expansion), for finite sums that do not overflow on the way.
func referenceSum(_ values: [Double]) -> Double {
    var partials: [Double] = []
    for value in values {
        var x = value
        var kept = 0
        for index in partials.indices {
            var y = partials[index]
            if abs(x) < abs(y) { swap(&x, &y) }
            let high = x + y
            let low = y - (high - x)
            if low != 0 {
                partials[kept] = low
                kept += 1
            }
            x = high
        }
        partials.removeSubrange(kept...)
        partials.append(x)
    }
    guard var n = Optional(partials.count - 1), n >= 0 else { return 0 }
    var high = partials[n]
    var low = 0.0
    while n > 0 {
        let x = high
        n -= 1
        let y = partials[n]
        high = x + y
        low = y - (high - x)
        if low != 0 { break }
    }
    if n > 0, (low < 0 && partials[n - 1] < 0) || (low > 0 && partials[n - 1] > 0) {
        let y = low * 2
        let x = high + y
        if y == x - high { high = x }
    }
    return high
}

/// The result as text per (window, group), in any order.
typealias ResultTable = [String: String]

struct StreamCase: CustomStringConvertible, Sendable {
    var seed: UInt64
    var duration: Int64
    var slide: Int64
    var delay: Int64
    var lateness: Int64
    var partitions: Int
    var batchSize: Int
    var shards: Int
    var extractEvery: Int
    var description: String {
        "seed \(seed) window \(duration)/\(slide) delay \(delay)+\(lateness) p\(partitions) b\(batchSize) s\(shards) x\(extractEvery)"
    }

    var spec: AggregationSpec {
        AggregationSpec(
            name: "test",
            window: WindowSpec(durationMilliseconds: duration, slideMilliseconds: slide, originMilliseconds: 3),
            groups: [ColumnSpec("country", .string, isNullable: true), ColumnSpec("shop", .long, isNullable: true)],
            measures: [
                MeasureSpec(name: "n", function: .count, column: nil, inputType: nil, resultType: .long),
                MeasureSpec(name: "a", function: .count, column: "amount", inputType: .double, resultType: .long),
                MeasureSpec(name: "u", function: .countDistinct, column: "user", inputType: .string, resultType: .long),
                MeasureSpec(name: "s", function: .sum, column: "amount", inputType: .double, resultType: .double),
                MeasureSpec(name: "v", function: .avg, column: "amount", inputType: .double, resultType: .double),
                MeasureSpec(name: "t", function: .sum, column: "units", inputType: .long, resultType: .long),
                MeasureSpec(
                    name: "m", function: .avg, column: "units", inputType: .decimal(precision: 38, scale: 2),
                    resultType: .decimal(precision: 38, scale: 6)),
                MeasureSpec(name: "lo", function: .min, column: "amount", inputType: .double, resultType: .double),
                MeasureSpec(name: "hi", function: .max, column: "user", inputType: .string, resultType: .string),
                MeasureSpec(
                    name: "big", function: .sum, column: "units", inputType: .long, resultType: .long, isFiltered: true),
            ],
            watermarkDelayMilliseconds: delay, allowedLatenessMilliseconds: lateness)
    }

    func rows(count: Int) -> [TestRow] {
        var random = SeededGenerator(state: seed)
        var clock = [Int64](repeating: -300, count: partitions)
        return (0..<count).map { _ in
            let partition = Int.random(in: 0..<partitions, using: &random)
            clock[partition] += Int64.random(in: 0...4, using: &random)
            let back = Int.random(in: 0..<12, using: &random) == 0 ? Int64.random(in: 0...80, using: &random) : Int64.random(in: 0...8, using: &random)
            func maybe<T>(_ value: T) -> T? { Int.random(in: 0..<9, using: &random) == 0 ? nil : value }
            let scale: Double = ([1e-9, 1.0, 1e16, 1e300] as [Double]).randomElement(using: &random) ?? 1
            let amount: Double = Double.random(in: -1...1, using: &random) * scale
            return TestRow(
                partition: partition, time: clock[partition] - back,
                country: maybe(["DE", "FR", "", "Österreich"].randomElement(using: &random) ?? ""),
                shop: maybe(Int64.random(in: -1...1, using: &random)),
                amount: maybe(amount),
                units: maybe(Int64.random(in: -50...50, using: &random)),
                user: maybe("user-\(Int.random(in: 0..<9, using: &random))"))
        }
    }

    static func floorDiv(_ a: Int64, _ b: Int64) -> Int64 { a / b - (a % b < 0 ? 1 : 0) }

    /// The naive reference: every row into every window that is open for it.
    func expected(_ rows: [TestRow]) -> (table: ResultTable, late: Int) {
        var highest = [Int64?](repeating: nil, count: partitions)
        var members: [String: [TestRow]] = [:]
        var late = 0
        for row in rows {
            var counted = false
            let last = Self.floorDiv(row.time - 3, slide) * slide + 3
            var start = last
            while start + duration > row.time {
                let isClosed = highest[row.partition].map { start + duration + lateness <= $0 - delay } ?? false
                if !isClosed {
                    counted = true
                    let shop = row.shop.map(String.init) ?? "null"
                    members["\(start)|\(row.country ?? "null")|\(shop)", default: []].append(row)
                }
                start -= slide
            }
            if !counted { late += 1 }
            highest[row.partition] = max(highest[row.partition] ?? row.time, row.time)
        }
        let table = members.mapValues { rows -> String in
            let amounts = rows.compactMap(\.amount)
            let units = rows.compactMap(\.units)
            let users = rows.compactMap(\.user)
            let sum = referenceSum(amounts)
            let big = units.filter { $0 > 10 }
            func text<T>(_ value: T?) -> String { value.map { "\($0)" } ?? "null" }
            return [
                "\(rows.count)", "\(amounts.count)", "\(Set(users).count)", text(amounts.isEmpty ? nil : sum),
                text(amounts.isEmpty ? nil : sum / Double(amounts.count)), text(units.isEmpty ? nil : units.reduce(0, +)),
                text(units.isEmpty ? nil : Self.halfEven(units.reduce(0, +) * 10_000, Int64(units.count))),
                text(amounts.min()), text(users.max()), text(big.isEmpty ? nil : big.reduce(0, +)),
            ].joined(separator: ",")
        }
        return (table, late)
    }

    static func halfEven(_ a: Int64, _ b: Int64) -> Int64 {
        let quotient = floorDiv(a, b)
        let rest = a - quotient * b
        return quotient + (2 * rest > b || (2 * rest == b && quotient % 2 != 0) ? 1 : 0)
    }

    enum Mode: CaseIterable, Sendable { case final, updates, restored }

    /// Runs the engine; a final row that appears twice is reported as `twice`.
    func run(_ rows: [TestRow], mode: Mode) throws -> (table: ResultTable, late: Int, twice: Int) {
        let key = HashKey(k0: 1, k1: 2)
        let spec = spec
        var shards = try (0..<shards).map { _ in try ShardAggregator(spec: spec, hashKey: key) }
        let local = try LocalAggregator(spec: spec, hashKey: key)
        let columns: [ColumnSpec] = [
            ColumnSpec("timestamp", .timestamp), ColumnSpec("shop", .long, isNullable: true),
            ColumnSpec("amount", .double, isNullable: true), ColumnSpec("units", .long, isNullable: true),
        ]
        // Three inputs: strings as codes, as bytes, and the counted one as hashes where no maximum needs it.
        let coded = columns + [
            ColumnSpec("country", .string, isNullable: true, encoding: .dictionary),
            ColumnSpec("user", .string, isNullable: true, encoding: .dictionary),
        ]
        let plain = [
            ColumnSpec("user", .string, isNullable: true), ColumnSpec("country", .string, isNullable: true),
        ] + columns
        let schemas = [BatchSchema(coded), BatchSchema(plain)]
        for schema in schemas { _ = try local.bind(schema) }
        let batches = schemas.map { RecordBatch(schema: $0) }
        var highest = [Int64](repeating: .min, count: partitions)
        var table: ResultTable = [:]
        var (late, twice) = (0, 0)
        var batchNumber = 0

        func collect(_ batch: RecordBatch, isFinal: Bool) {
            for (key, value) in Self.read(batch) {
                if isFinal, table[key] != nil { twice += 1 }
                table[key] = value
            }
        }
        func pass(watermark: Int64) throws {
            for (index, partial) in try local.extract(shardCount: shards.count).enumerated() {
                if let partial { try shards[index].merge(partial) }
            }
            for shard in shards {
                let out = RecordBatch(schema: ShardAggregator.resultSchema(spec))
                shard.advance(watermark: watermark)
                if mode == .updates {
                    try shard.takeUpdates(into: out)
                    try shard.takeClosed(into: nil)
                } else {
                    try shard.takeClosed(into: out)
                }
                collect(out, isFinal: mode != .updates)
            }
        }
        var position = 0
        while position < rows.count {
            let slice = rows[position..<min(position + batchSize, rows.count)]
            position += slice.count
            let input = batchNumber % 2
            let batch = batches[input]
            batch.removeAll()
            var maxima: [Int64] = []
            var selection: [Int32] = []
            for row in slice {
                maxima.append(highest[row.partition])
                highest[row.partition] = max(highest[row.partition], row.time)
                if let units = row.units, units > 10 { selection.append(Int32(maxima.count - 1)) }
                for (index, column) in batch.schema.columns.enumerated() {
                    switch column.name {
                    case "timestamp": put(row.time, batch.columns[index])
                    case "shop": put(row.shop, batch.columns[index])
                    case "units": put(row.units, batch.columns[index])
                    case "amount": put(row.amount, batch.columns[index])
                    case "country": put(row.country, batch.columns[index])
                    default: put(row.user, batch.columns[index])
                    }
                }
            }
            batch.rowCount = slice.count
            late += try selection.withUnsafeBufferPointer { filtered in
                try local.update(
                    input: input, batch: batch,
                    measureSelections: [nil, nil, nil, nil, nil, nil, nil, nil, nil, filtered], runningMax: maxima
                ).late
            }
            #expect(local.lateRows.count <= slice.count)
            batchNumber += 1
            if batchNumber % extractEvery == 0 {
                let lowest = highest.min() ?? .min
                try pass(watermark: lowest == .min ? .min : lowest - delay)
                if mode == .restored, batchNumber % (extractEvery * 3) == 0 {
                    // Dealt to another number of shards each time.
                    let count = shards.count % 3 + 1
                    let saved = shards.map { shard in
                        var bytes: [UInt8] = []
                        shard.serialize(into: &bytes, fingerprint: "f")
                        return bytes
                    }
                    shards = try (0..<count).map { number in
                        let shard = try ShardAggregator(spec: spec, hashKey: key)
                        for bytes in saved {
                            try bytes.withUnsafeBytes {
                                try shard.restore(from: $0, fingerprint: "f") {
                                    LocalAggregator.shard(of: $0, count: count) == number
                                }
                            }
                        }
                        return shard
                    }
                }
            }
        }
        try pass(watermark: .max)
        #expect(shards.allSatisfy { $0.openGroups == 0 && $0.droppedGroups == 0 })
        return (table, late, twice)
    }

    private func put<T>(_ value: T?, _ column: ColumnVector) {
        switch (column, value) {
        case (.int64(let vector), let value as Int64): vector.append(value)
        case (.double(let vector), let value as Double): vector.append(value)
        case (.bytes(let vector), let value as String): vector.append(value)
        case (.dictionary(let vector, let dictionary), let value as String):
            vector.append(Array(value.utf8).withUnsafeBytes { dictionary.code(for: $0) })
        case (.int64(let vector), _): vector.appendNull()
        case (.double(let vector), _): vector.appendNull()
        case (.bytes(let vector), _): vector.appendNull()
        case (.dictionary(let vector, _), _): vector.appendNull()
        default: Issue.record("no such column")
        }
    }

    static func read(_ batch: RecordBatch) -> [(String, String)] {
        (0..<batch.rowCount).map { row in
            let cells = batch.columns.map { cell($0, row) }
            return (([cells[0]] + cells[2..<4]).joined(separator: "|"), cells[4...].joined(separator: ","))
        }
    }

    static func cell(_ column: ColumnVector, _ row: Int) -> String {
        switch column {
        case .int64(let vector): vector.nulls[row] ? "null" : "\(vector.values[row])"
        case .int128(let vector): vector.nulls[row] ? "null" : "\(vector.values[row])"
        case .double(let vector): vector.nulls[row] ? "null" : "\(vector.values[row])"
        case .boolean(let vector): vector.nulls[row] ? "null" : "\(vector.values[row])"
        case .bytes(let vector): vector.nulls[row] ? "null" : vector.string(row)
        default: "?"
        }
    }
}

@Suite("Aggregation against a naive reference")
struct AggregationTests {
    // Windows 20 long; sliding by 5, by 15 (panes of 5), tumbling:
    //
    //     tumbling      |---------|---------|
    //     slide 5       |---------|
    //                      |---------|
    //     slide 15      |---------|
    //                           |---------|        (overlap of one pane)
    static let cases: [StreamCase] = [1, 7, 1024].flatMap { batch in
        [(20, 20, 10, 0, 1), (20, 5, 10, 0, 3), (20, 15, 5, 7, 2), (20, 5, 0, 3, 2)].enumerated().map { number, w in
            StreamCase(
                seed: UInt64(number + 1), duration: w.0, slide: w.1, delay: w.2, lateness: w.3, partitions: w.4,
                batchSize: batch, shards: number % 3 + 1, extractEvery: batch == 1 ? 9 : number % 2 + 1)
        }
    }

    @Test("any split, shard count and cadence gives the reference's rows", arguments: cases, StreamCase.Mode.allCases)
    func matchesReference(_ stream: StreamCase, _ mode: StreamCase.Mode) throws {
        let rows = stream.rows(count: 400)
        let expected = stream.expected(rows)
        let result = try stream.run(rows, mode: mode)
        #expect(result.late == expected.late)
        #expect(result.twice == 0)
        let wrong = Set(expected.table.keys).union(result.table.keys).filter { expected.table[$0] != result.table[$0] }
        let first = wrong.sorted().first
        #expect(
            wrong.isEmpty,
            "\(wrong.count) of \(expected.table.count): \(first ?? ""): \(first.flatMap { expected.table[$0] } ?? "-") / \(first.flatMap { result.table[$0] } ?? "-")")
    }
}
