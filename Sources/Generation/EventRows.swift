import DataPath

/// The rows of one event type that are being filled: what is planned, their seeds, their columns.
final class EventRows {
    let batch: RecordBatch
    private let columns: [ColumnRecipe]
    private let productPicker: AliasTable
    private let seed: UInt64
    @exclusivity(unchecked) private(set) var count = 0
    @exclusivity(unchecked) private var capacity = 0
    @exclusivity(unchecked) private var planned: UnsafeMutablePointer<PlannedEvent>
    @exclusivity(unchecked) private(set) var sequence: UnsafeMutablePointer<Int64>
    @exclusivity(unchecked) private var times: UnsafeMutablePointer<Int64>
    @exclusivity(unchecked) private var entities: UnsafeMutablePointer<UInt32>
    @exclusivity(unchecked) private var products: UnsafeMutablePointer<UInt32>
    @exclusivity(unchecked) private var seeds: UnsafeMutablePointer<UInt64>
    @exclusivity(unchecked) private var nulls: UnsafeMutablePointer<Bool>
    @exclusivity(unchecked) private var scratch: UnsafeMutablePointer<Double>

    init(schema: BatchSchema, columns: [ColumnRecipe], productPicker: AliasTable, seed: UInt64) {
        batch = RecordBatch(schema: schema)
        self.columns = columns
        self.productPicker = productPicker
        self.seed = seed
        planned = .allocate(capacity: 0)
        sequence = .allocate(capacity: 0)
        times = .allocate(capacity: 0)
        entities = .allocate(capacity: 0)
        products = .allocate(capacity: 0)
        seeds = .allocate(capacity: 0)
        nulls = .allocate(capacity: 0)
        scratch = .allocate(capacity: 0)
    }

    deinit { release() }

    /// Empties the rows and makes room for `rows` of them.
    func begin(rows: Int) {
        count = 0
        guard rows > capacity else { return }
        release()
        capacity = rows
        planned = .allocate(capacity: rows)
        sequence = .allocate(capacity: rows)
        times = .allocate(capacity: rows)
        entities = .allocate(capacity: rows)
        products = .allocate(capacity: rows)
        seeds = .allocate(capacity: rows * 5)
        nulls = .allocate(capacity: rows)
        scratch = .allocate(capacity: rows)
    }

    @inline(__always)
    func add(_ event: PlannedEvent, sequenceNumber: Int64) {
        planned[count] = event
        sequence[count] = sequenceNumber
        count &+= 1
    }

    /// Makes the values of all columns. `ordinal`: how many events of the type there were before.
    func fill(ordinal: Int) {
        deriveSeeds()
        batch.removeAll()
        for recipe in columns {
            let column = batch.columns[recipe.column]
            let hasNulls = markNulls(recipe)
            let rows = GeneratedRows(
                count: count, ordinal: ordinal, times: times, entities: entities, products: products, seeds: seeds,
                seedStride: capacity, nulls: hasNulls ? UnsafePointer(nulls) : nil, scratch: scratch, batch: batch)
            recipe.provider.fill(rows, into: column)
            if hasNulls { setNulls(column) }
        }
        batch.rowCount = count
    }

    /// Each scope has a seed of its own, so that equal scopes give equal values.
    private func deriveSeeds() {
        let eventBase = splitSeed(seed, 11)
        let entityBase = splitSeed(seed, 12)
        let productBase = splitSeed(seed, 13)
        for row in 0..<count {
            let event = planned[row]
            let item = splitSeed(event.sessionSeed, UInt64(event.item) &+ 100)
            let product = productPicker.pick(item)
            times[row] = event.time
            entities[row] = event.entity
            products[row] = UInt32(truncatingIfNeeded: product)
            seeds[row] = splitSeed(eventBase, event.index)
            seeds[capacity &+ row] = event.sessionSeed
            seeds[2 &* capacity &+ row] = splitSeed(entityBase, UInt64(event.entity))
            seeds[3 &* capacity &+ row] = mix64(item)
            seeds[4 &* capacity &+ row] = splitSeed(productBase, UInt64(product))
        }
    }

    private func markNulls(_ recipe: ColumnRecipe) -> Bool {
        guard !recipe.nulls.isEmpty else { return false }
        nulls.update(repeating: false, count: count)
        for source in recipe.nulls {
            for row in 0..<count where unitInterval(mix64(seeds[row] ^ source.salt)) < source.share {
                nulls[row] = true
            }
        }
        return true
    }

    private func setNulls(_ column: ColumnVector) {
        switch column {
        case .boolean(let vector): setNulls(vector)
        case .int64(let vector): setNulls(vector)
        case .int128(let vector): setNulls(vector)
        case .double(let vector): setNulls(vector)
        // Byte columns have theirs already; the other layouts are not generated.
        case .bytes, .dictionary, .hash: break
        }
    }

    private func setNulls<Element>(_ vector: FixedVector<Element>) {
        var found = 0
        for row in 0..<count where nulls[row] {
            vector.nulls[row] = true
            found += 1
        }
        vector.nullCount = found
    }

    private func release() {
        planned.deallocate()
        sequence.deallocate()
        times.deallocate()
        entities.deallocate()
        products.deallocate()
        seeds.deallocate()
        nulls.deallocate()
        scratch.deallocate()
    }
}
