/// A growable run of fixed-size states, one a group.
///
/// Pointers are valid until the next resize. Threads: one at a time.
final class StateColumn<State: BitwiseCopyable> {
    private(set) var states: UnsafeMutablePointer<State>
    private(set) var count = 0
    private var capacity: Int
    private let initial: State

    init(initial: State) {
        self.initial = initial
        capacity = 16
        states = GrowingMemory.resize(nil, to: capacity)
    }

    deinit { GrowingMemory.free(states) }

    var memoryBytes: Int { capacity * MemoryLayout<State>.stride }

    /// Bytes that ``resize(to:)`` would take at its peak, beyond what is there.
    func growthBytes(to newCount: Int) -> Int {
        GrowingMemory.growthBytes(from: capacity, needed: newCount, stride: MemoryLayout<State>.stride)
    }

    /// Makes the run `newCount` long; what is added has the initial state.
    func resize(to newCount: Int) {
        guard newCount > count else { return }
        if newCount > capacity {
            capacity = GrowingMemory.capacity(
                from: capacity, needed: newCount, stride: MemoryLayout<State>.stride)
            states = GrowingMemory.resize(states, to: capacity)
        }
        (states + count).initialize(repeating: initial, count: newCount - count)
        count = newCount
    }

    /// Forgets all; gives memory back when there was much of it.
    func removeAll() {
        count = 0
        guard memoryBytes > 1 << 24 else { return }
        capacity = 16
        states = GrowingMemory.resize(states, to: capacity)
    }
}
