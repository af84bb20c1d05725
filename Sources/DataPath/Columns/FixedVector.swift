/// A growable vector of fixed-width values with a null mask, for reuse from batch to batch.
///
/// Shape: `values[0..<count]`, `nulls[0..<count]` (true = null; the value there is unspecified but initialised).
/// Loops over rows take the raw pointers once and index them; pointers are valid until the next `reserve`.
/// `@exclusivity(unchecked)`: no accesses overlap, and a run-time check per access would cost more than the access.
/// Threads: one at a time.
public final class FixedVector<Element: BitwiseCopyable> {
    @exclusivity(unchecked) public private(set) var values: UnsafeMutablePointer<Element>
    @exclusivity(unchecked) public private(set) var nulls: UnsafeMutablePointer<Bool>
    @exclusivity(unchecked) public private(set) var capacity: Int
    /// Rows that are filled. Whoever writes through the pointers sets it.
    @exclusivity(unchecked) public var count = 0
    /// How many of the rows are null; 0 lets loops skip the mask.
    @exclusivity(unchecked) public var nullCount = 0

    public init(capacity: Int = 0) {
        self.capacity = max(capacity, 16)
        values = .allocate(capacity: self.capacity)
        nulls = .allocate(capacity: self.capacity)
        // Zeroed, so that the value under a null is always initialised.
        UnsafeMutableRawPointer(values).initializeMemory(
            as: UInt8.self, repeating: 0, count: self.capacity * MemoryLayout<Element>.stride)
        nulls.initialize(repeating: false, count: self.capacity)
    }

    deinit {
        values.deallocate()
        nulls.deallocate()
    }

    public var memoryBytes: Int { capacity * (MemoryLayout<Element>.stride + 1) }

    /// Makes room for `rows` rows, keeping what is there.
    public func reserve(_ rows: Int) {
        guard rows > capacity else { return }
        let larger = FixedVector(capacity: max(rows, capacity * 2))
        larger.values.update(from: values, count: count)
        larger.nulls.update(from: nulls, count: count)
        swap(&values, &larger.values)
        swap(&nulls, &larger.nulls)
        swap(&capacity, &larger.capacity)
    }

    @inlinable
    public func append(_ value: Element) {
        if count == capacity { reserve(count + 1) }
        values[count] = value
        nulls[count] = false
        count += 1
    }

    @inlinable
    public func appendNull() {
        if count == capacity { reserve(count + 1) }
        nulls[count] = true
        count += 1
        nullCount += 1
    }

    /// Forgets the rows from `rows` on; `rows` is at most ``count``.
    public func truncate(to rows: Int) {
        for row in rows..<count where nulls[row] { nullCount -= 1 }
        count = rows
    }

    public func removeAll() {
        count = 0
        nullCount = 0
    }
}
