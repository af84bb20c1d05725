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
        states = .allocate(capacity: capacity)
    }

    deinit { states.deallocate() }

    var memoryBytes: Int { capacity * MemoryLayout<State>.stride }

    /// Makes the run `newCount` long; what is added has the initial state.
    func resize(to newCount: Int) {
        guard newCount > count else { return }
        if newCount > capacity {
            let larger = max(capacity * 2, newCount)
            let moved = UnsafeMutablePointer<State>.allocate(capacity: larger)
            moved.update(from: states, count: count)
            states.deallocate()
            (states, capacity) = (moved, larger)
        }
        (states + count).initialize(repeating: initial, count: newCount - count)
        count = newCount
    }

    /// Forgets all; gives memory back when there was much of it.
    func removeAll() {
        count = 0
        guard memoryBytes > 1 << 24 else { return }
        states.deallocate()
        capacity = 16
        states = .allocate(capacity: capacity)
    }
}
