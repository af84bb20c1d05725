/// Why state may not grow: who holds how much of a ``MemoryBudget``.
public struct MemoryShortage: Hashable, Sendable, CustomStringConvertible {
    public struct Holder: Hashable, Sendable {
        public var name: String
        /// Groups of open windows, counted once a pane.
        public var groups: Int
        public var bytes: Int

        public init(name: String, groups: Int, bytes: Int) {
            self.name = name
            self.groups = groups
            self.bytes = bytes
        }
    }

    public var limitBytes: Int
    public var heldBytes: Int
    /// What was asked for beyond what is held.
    public var missingBytes: Int
    public var holders: [Holder]

    public init(limitBytes: Int, heldBytes: Int, missingBytes: Int, holders: [Holder]) {
        self.limitBytes = limitBytes
        self.heldBytes = heldBytes
        self.missingBytes = missingBytes
        self.holders = holders
    }

    /// Those that hold most come first; at most three are told.
    public var description: String {
        let largest = holders.filter { $0.bytes > 0 }.sorted { ($0.bytes, $1.name) > ($1.bytes, $0.name) }
        let told = largest.prefix(3).map { "aggregation '\($0.name)' holds \($0.groups) groups in \(size($0.bytes))" }
        let more = largest.count > 3 ? ["\(largest.count - 3) more hold less"] : []
        let missing = missingBytes > 0 ? " and \(size(missingBytes)) more are needed" : ""
        return "open windows hold \(size(heldBytes))\(missing), of \(size(limitBytes)) allowed: "
            + (told + more).joined(separator: ", ")
    }

    /// In the unit that gives at least two digits, rounded up.
    private func size(_ bytes: Int) -> String {
        for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] where bytes >= 10 << shift {
            return "\((bytes + (1 << shift) - 1) >> shift) \(unit)"
        }
        return bytes >= 10 << 10 ? "\(bytes >> 10) KiB" : "\(bytes) bytes"
    }
}
