public import Diagnostics

/// What stands between the live system and the domain: one item for each thing that the domain wants.
public struct Plan: Sendable {
    public struct Item: Sendable {
        public enum Kind: String, Sendable { case schema, topic, table }

        public enum Action: Sendable, Equatable {
            case none
            case create
            /// Changed in place; nothing is lost.
            case alter
            /// A table's rows are deleted and counted anew from the events that the topics still hold.
            case rebuild
            /// It cannot be done: see the finding.
            case refuse
        }

        public var kind: Kind
        public var name: String
        public var action: Action
        /// Lines that say what changes.
        public var details: [String]
        /// Whether it gives a topic more partitions.
        public var addsPartitions = false

        init(_ kind: Kind, _ name: String, _ action: Action, _ details: [String] = []) {
            self.kind = kind
            self.name = name
            self.action = action
            self.details = details
        }
    }

    public var items: [Item] = []
    /// Why items are refused.
    public var diagnostics = Diagnostics()

    public var changes: [Item] { items.filter { $0.action != .none } }
    public var isEmpty: Bool { changes.isEmpty }

    /// New and emptied tables, which are counted from the earliest offset.
    public var countedTables: [Item] {
        changes.filter { $0.kind == .table && ($0.action == .create || $0.action == .rebuild) }
    }

    /// Whether it can only be carried out while no pipeline of the domain runs.
    public var needsNoRun: Bool { !countedTables.isEmpty || changes.contains(where: \.addsPartitions) }
}
