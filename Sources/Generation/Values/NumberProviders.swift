import DataPath
import Glibc
import PlatformModel

/// How numbers are put into a column: rounded to its scale and kept in its range.
struct NumberTarget {
    let type: FieldType
    /// Decimal places of doubles; nil = as drawn.
    var places: Int?

    init?(_ type: FieldType, places: Int? = nil) {
        switch type {
        case .int, .long, .float, .double, .decimal, .money: break
        default: return nil
        }
        self.type = type
        self.places = places
    }

    /// Writes the numbers in `rows.scratch`, in major units.
    func write(_ rows: GeneratedRows, to column: ColumnVector) {
        let numbers = rows.scratch
        switch (column, type) {
        case (.int64(let vector), .money(let scale)): round(numbers, rows.count, scale, 0x1p62, vector)
        case (.int64(let vector), .int): round(numbers, rows.count, 0, Double(Int32.max), vector)
        case (.int64(let vector), _): round(numbers, rows.count, 0, 0x1p62, vector)
        case (.int128(let vector), .decimal(let precision, let scale)):
            let out = vector.fillSlots(rows.count)
            // A double has 53 bits: larger precisions are not filled to their last digit.
            let bound = pow(10, Double(precision)) * (1 - 0x1p-52) - 1
            let factor = pow(10, Double(scale))
            for row in 0..<rows.count {
                out[row] = Int128(min(max((numbers[row] * factor).rounded(), -bound), bound))
            }
        case (.double(let vector), _):
            let out = vector.fillSlots(rows.count)
            if let places {
                let factor = pow(10, Double(places))
                for row in 0..<rows.count { out[row] = (numbers[row] * factor).rounded() / factor }
            } else {
                out.update(from: numbers, count: rows.count)
            }
            // A float column is held as doubles, but carries what a float carries.
            if type == .float { for row in 0..<rows.count { out[row] = Double(Float(out[row])) } }
        default: preconditionFailure("numbers on a column of another type")
        }
    }

    private func round(
        _ numbers: UnsafePointer<Double>, _ count: Int, _ scale: Int, _ bound: Double, _ vector: FixedVector<Int64>
    ) {
        let out = vector.fillSlots(count)
        let factor = pow(10, Double(scale))
        for row in 0..<count { out[row] = Int64(min(max((numbers[row] * factor).rounded(), -bound), bound)) }
    }
}

/// Numbers of a distribution.
struct NumberProvider: ValueProvider {
    enum Distribution: Sendable {
        case uniform(Double, Double)
        /// Whole numbers, both ends included.
        case integers(Double, Double)
        /// Kept within the range.
        case normal(mean: Double, deviation: Double, ClosedRange<Double>)
        case lognormal(median: Double, sigma: Double)
        /// 1, 2, 3, … up to `most`, with this mean above 1.
        case counts(meanAboveOne: Double, most: Int)
        /// The rank from 1 on.
        case zipf(AliasTable)
        case sequence(start: Double, step: Double)
    }

    let distribution: Distribution
    let scope: SeedScope
    let salt: UInt64
    let target: NumberTarget

    func fill(_ rows: GeneratedRows, into column: ColumnVector) {
        let seeds = rows.seeds(scope)
        let out = rows.scratch
        switch distribution {
        case .uniform(let low, let high):
            for row in 0..<rows.count { out[row] = low + (high - low) * unitInterval(mix64(seeds[row] ^ salt)) }
        case .integers(let low, let high):
            for row in 0..<rows.count {
                out[row] = low + ((high - low + 1) * unitInterval(mix64(seeds[row] ^ salt))).rounded(.down)
            }
        case .normal(let mean, let deviation, let range):
            for row in 0..<rows.count {
                var random = RandomStream(mix64(seeds[row] ^ salt))
                out[row] = min(max(mean + deviation * random.normal(), range.lowerBound), range.upperBound)
            }
        case .lognormal(let median, let sigma):
            for row in 0..<rows.count {
                var random = RandomStream(mix64(seeds[row] ^ salt))
                out[row] = min(median * exp(sigma * random.normal()), 1e15)
            }
        case .counts(let mean, let most):
            for row in 0..<rows.count { out[row] = itemCount(seed: seeds[row] ^ salt, mean: mean, most: most) }
        case .zipf(let table):
            for row in 0..<rows.count { out[row] = Double(table.pick(mix64(seeds[row] ^ salt)) + 1) }
        case .sequence(let start, let step):
            for row in 0..<rows.count { out[row] = start + step * Double(rows.ordinal + row) }
        }
        target.write(rows, to: column)
    }
}

@inline(__always)
func itemCount(seed: UInt64, mean: Double, most: Int) -> Double {
    var random = RandomStream(mix64(seed))
    return Double(min(1 + random.geometric(mean: mean), most))
}

/// The price of the row's product: lognormal over products, the same wherever the product appears.
struct ProductPrice: ValueProvider {
    let prices: [Double]
    let target: NumberTarget

    static func prices(count: Int, seed: UInt64) -> [Double] {
        (0..<count).map { index in
            var random = RandomStream(splitSeed(seed, UInt64(index)))
            return min(max((40 * exp(0.9 * random.normal()) * 100).rounded() / 100, 0.5), 99_999)
        }
    }

    func fill(_ rows: GeneratedRows, into column: ColumnVector) {
        prices.withUnsafeBufferPointer { prices in
            for row in 0..<rows.count { rows.scratch[row] = prices[Int(rows.products[row])] }
        }
        target.write(rows, to: column)
    }
}

/// Price times quantity, from the columns of the same row where they are and from their built-in values where not.
struct TotalAmount: ValueProvider {
    let prices: [Double]
    let priceColumn: (index: Int, type: FieldType)?
    let quantityColumn: (index: Int, type: FieldType)?
    let target: NumberTarget

    func fill(_ rows: GeneratedRows, into column: ColumnVector) {
        let out = rows.scratch
        prices.withUnsafeBufferPointer { prices in
            for row in 0..<rows.count { out[row] = prices[Int(rows.products[row])] }
        }
        if let priceColumn {
            visit(rows.batch.columns[priceColumn.index], priceColumn.type, rows.count) { out[$0] = $1 }
        }
        if let quantityColumn {
            visit(rows.batch.columns[quantityColumn.index], quantityColumn.type, rows.count) { out[$0] *= $1 }
        }
        target.write(rows, to: column)
    }

    @inline(__always)
    private func visit(_ column: ColumnVector, _ type: FieldType, _ count: Int, _ body: (Int, Double) -> Void) {
        switch (column, type) {
        case (.double(let vector), _):
            for row in 0..<count where !vector.nulls[row] { body(row, vector.values[row]) }
        case (.int64(let vector), .money(let scale)):
            let factor = pow(10, Double(scale))
            for row in 0..<count where !vector.nulls[row] { body(row, Double(vector.values[row]) / factor) }
        case (.int64(let vector), _):
            for row in 0..<count where !vector.nulls[row] { body(row, Double(vector.values[row])) }
        case (.int128(let vector), .decimal(_, let scale)):
            let factor = pow(10, Double(scale))
            for row in 0..<count where !vector.nulls[row] { body(row, Double(vector.values[row]) / factor) }
        default: break
        }
    }
}
