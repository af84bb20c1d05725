import DataPath

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
    var kind = WindowSpec.Kind.sliding
    /// Whether distinct users are counted by their names, not by hashes.
    var isStrict = false
    var description: String {
        "seed \(seed) window \(duration)/\(slide) delay \(delay)+\(lateness) p\(partitions) b\(batchSize) s\(shards) x\(extractEvery)\(isStrict ? " strict" : "")"
    }

    private var window: WindowSpec {
        switch kind {
        case .sliding: WindowSpec(durationMilliseconds: duration, slideMilliseconds: slide, originMilliseconds: 3)
        case .cumulate: .cumulate(durationMilliseconds: duration, stepMilliseconds: slide, originMilliseconds: 3)
        case .session: .session(gapMilliseconds: duration)
        }
    }

    var spec: AggregationSpec {
        AggregationSpec(
            name: "test",
            window: window,
            groups: [ColumnSpec("country", .string, isNullable: true), ColumnSpec("shop", .long, isNullable: true)],
            measures: [
                MeasureSpec(name: "n", function: .count, column: nil, inputType: nil, resultType: .long),
                MeasureSpec(name: "a", function: .count, column: "amount", inputType: .double, resultType: .long),
                MeasureSpec(
                    name: "u", function: .countDistinct, column: "user", inputType: .string, resultType: .long,
                    isStrict: isStrict),
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
            let back =
                Int.random(in: 0..<12, using: &random) == 0
                ? Int64.random(in: 0...80, using: &random) : Int64.random(in: 0...8, using: &random)
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

    /// Every window that holds a time.
    private func windows(holding time: Int64) -> [(start: Int64, end: Int64)] {
        if kind == .cumulate {
            let start = Self.floorDiv(time - 3, duration) * duration + 3
            return stride(from: start + slide, through: start + duration, by: Int(slide)).filter { $0 > time }
                .map { (start, $0) }
        }
        let last = Self.floorDiv(time - 3, slide) * slide + 3
        return stride(from: last, to: time - duration, by: -Int(slide)).map { ($0, $0 + duration) }
    }

    /// The naive reference: every row into every window that is open for it.
    func expected(_ rows: [TestRow]) -> (table: ResultTable, late: Int) {
        var highest = [Int64?](repeating: nil, count: partitions)
        var members: [String: [TestRow]] = [:]
        var late = 0
        for row in rows {
            var counted = false
            for (start, end) in windows(holding: row.time) {
                let isClosed = highest[row.partition].map { end + lateness <= $0 - delay } ?? false
                if !isClosed {
                    counted = true
                    members["\(start)|\(end)|\(row.group)", default: []].append(row)
                }
            }
            if !counted { late += 1 }
            highest[row.partition] = max(highest[row.partition] ?? row.time, row.time)
        }
        return (members.mapValues(results), late)
    }

    /// The measures of some rows as text.
    func results(_ rows: [TestRow]) -> String {
        let amounts = rows.compactMap(\.amount)
        let units = rows.compactMap(\.units)
        let users = rows.compactMap(\.user)
        let sum = referenceSum(amounts)
        let big = units.filter { $0 > 10 }
        func text<T>(_ value: T?) -> String { value.map { "\($0)" } ?? "null" }
        return [
            "\(rows.count)", "\(amounts.count)", "\(Set(users).count)", text(amounts.isEmpty ? nil : sum),
            text(amounts.isEmpty ? nil : sum / Double(amounts.count)),
            text(units.isEmpty ? nil : units.reduce(0, +)),
            text(units.isEmpty ? nil : Self.halfEven(units.reduce(0, +) * 10_000, Int64(units.count))),
            text(amounts.min()), text(users.max()), text(big.isEmpty ? nil : big.reduce(0, +)),
        ].joined(separator: ",")
    }

    static func halfEven(_ a: Int64, _ b: Int64) -> Int64 {
        let quotient = floorDiv(a, b)
        let rest = a - quotient * b
        return quotient + (2 * rest > b || (2 * rest == b && quotient % 2 != 0) ? 1 : 0)
    }
}
