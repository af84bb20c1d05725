/// A growable run of fixed-size states, one a group; without groups it holds no memory.
///
/// Pointers are valid until the next resize. Threads: one at a time.
struct StateColumn<State: BitwiseCopyable>: ~Copyable {
    private(set) var states: UnsafeMutablePointer<State>
    private(set) var count = 0
    private var capacity = 0
    private let initial: State

    init(initial: State) {
        self.initial = initial
        states = GrowingMemory.none()
    }

    deinit { if capacity > 0 { GrowingMemory.free(states) } }

    var memoryBytes: Int { capacity * MemoryLayout<State>.stride }

    /// Bytes that ``resize(to:)`` would take at its peak, beyond what is there.
    func growthBytes(to newCount: Int) -> Int {
        GrowingMemory.growthBytes(from: capacity, needed: newCount, stride: MemoryLayout<State>.stride)
    }

    /// Makes the run `newCount` long; what is added has the initial state.
    mutating func resize(to newCount: Int) {
        guard newCount > count else { return }
        if newCount > capacity {
            let old = capacity > 0 ? states : nil
            capacity = GrowingMemory.capacity(
                from: capacity, needed: newCount, stride: MemoryLayout<State>.stride)
            states = GrowingMemory.resize(old, to: capacity)
        }
        (states + count).initialize(repeating: initial, count: newCount - count)
        count = newCount
    }

    /// Forgets all; gives memory back when there was much of it.
    mutating func removeAll() {
        count = 0
        guard memoryBytes > 1 << 24 else { return }
        GrowingMemory.free(states)
        (states, capacity) = (GrowingMemory.none(), 0)
    }
}
