internal import Synchronization

/// How much memory the state of all aggregations of a run may hold together, and how much of it is held.
///
/// What is counted is what the tables have allocated, not what the process has resident: so the bound holds before memory is
/// taken, and an aggregation can be named. Threads: any.
public final class MemoryBudget: Sendable {
    /// One aggregation's part, over all threads.
    final class Holder: Sendable {
        let name: String
        let bytes = Atomic<Int>(0)
        let groups = Atomic<Int>(0)

        init(_ name: String) { self.name = name }
    }

    public let limitBytes: Int
    private let held = Atomic<Int>(0)
    private let holders: [Holder]

    /// - Parameter names: Of the aggregations, for messages.
    public init(limitBytes: Int, names: [String]) {
        self.limitBytes = limitBytes
        holders = names.map { Holder($0) }
    }

    public var heldBytes: Int { held.load(ordering: .relaxed) }

    /// A new account of one thread's part of the aggregation with that index.
    public func account(of index: Int) -> MemoryAccount { MemoryAccount(self, holders[index]) }

    fileprivate func add(_ bytes: Int, to holder: Holder) {
        held.add(bytes, ordering: .relaxed)
        holder.bytes.add(bytes, ordering: .relaxed)
    }

    fileprivate func take(_ bytes: Int, for holder: Holder) throws(AggregationError) {
        let (_, after) = held.add(bytes, ordering: .relaxed)
        guard after <= limitBytes else {
            held.subtract(bytes, ordering: .relaxed)
            throw .memoryLimit(shortage(missing: bytes))
        }
        holder.bytes.add(bytes, ordering: .relaxed)
    }

    fileprivate func shortage(missing: Int) -> MemoryShortage {
        MemoryShortage(
            limitBytes: limitBytes, heldBytes: heldBytes, missingBytes: missing,
            holders: holders.map {
                MemoryShortage.Holder(
                    name: $0.name, groups: $0.groups.load(ordering: .relaxed), bytes: $0.bytes.load(ordering: .relaxed))
            })
    }
}

/// What one thread holds of a ``MemoryBudget`` for one purpose; it is given back with the object. Threads: one at a time.
public final class MemoryAccount {
    private let budget: MemoryBudget
    private let holder: MemoryBudget.Holder
    /// What is allocated, as it was last settled.
    private var settled = 0
    private var groups = 0
    /// What is held of the budget: ``settled``, or more while something grows.
    private var charged = 0

    fileprivate init(_ budget: MemoryBudget, _ holder: MemoryBudget.Holder) {
        self.budget = budget
        self.holder = holder
    }

    deinit { settle(bytes: 0, groups: 0) }

    /// Holds so many bytes more than were settled, before they are allocated. Throws ``AggregationError/memoryLimit(_:)``
    /// when the budget does not have them; nothing has changed then.
    func reserve(_ more: Int) throws(AggregationError) {
        let missing = settled + more - charged
        guard missing > 0 else { return }
        try budget.take(missing, for: holder)
        charged += missing
    }

    /// Says what is allocated now.
    func settle(bytes: Int, groups: Int) {
        budget.add(bytes - charged, to: holder)
        holder.groups.add(groups - self.groups, ordering: .relaxed)
        (settled, charged, self.groups) = (bytes, bytes, groups)
    }

    /// Says that so much more is allocated than was settled last.
    func settle(growth: Int, groups more: Int = 0) { settle(bytes: settled + growth, groups: groups + more) }

    /// As ``settle(bytes:groups:)``, for what is allocated in small steps: throws when that was too much.
    func settleWithinLimit(bytes: Int, groups: Int) throws(AggregationError) {
        settle(bytes: bytes, groups: groups)
        try checkLimit()
    }

    /// As ``settle(growth:groups:)``, and throws when that was too much.
    func settleWithinLimit(growth: Int) throws(AggregationError) {
        settle(growth: growth)
        try checkLimit()
    }

    private func checkLimit() throws(AggregationError) {
        if budget.heldBytes > budget.limitBytes { throw .memoryLimit(budget.shortage(missing: 0)) }
    }

    /// What a group takes on average, as it was last settled.
    var bytesPerGroup: Int { settled / max(groups, 1) }

    /// A further account of the same aggregation.
    func sibling() -> MemoryAccount { MemoryAccount(budget, holder) }
}
