/// The rows of a batch that something applies to: ascending row indexes, reused from batch to batch.
///
/// Shape: `rows[0..<count]`. Pointers are valid until the next `reserve`. Threads: one at a time.
public final class Selection {
    public private(set) var rows: UnsafeMutablePointer<Int32>
    public private(set) var capacity: Int
    /// Rows that are selected. Whoever writes through ``rows`` sets it.
    public var count = 0

    public init(capacity: Int = 0) {
        self.capacity = max(capacity, 16)
        rows = .allocate(capacity: self.capacity)
        rows.initialize(repeating: 0, count: self.capacity)
    }

    deinit { rows.deallocate() }

    /// Makes room for `rowCount` rows, keeping what is there.
    public func reserve(_ rowCount: Int) {
        guard rowCount > capacity else { return }
        let larger = max(rowCount, capacity * 2)
        let moved = UnsafeMutablePointer<Int32>.allocate(capacity: larger)
        moved.initialize(repeating: 0, count: larger)
        moved.update(from: rows, count: count)
        rows.deallocate()
        (rows, capacity) = (moved, larger)
    }

    /// Selects every row of a batch of `rowCount` rows.
    public func selectAll(_ rowCount: Int) {
        reserve(rowCount)
        for row in 0..<rowCount { rows[row] = Int32(truncatingIfNeeded: row) }
        count = rowCount
    }

    public func removeAll() { count = 0 }
}
