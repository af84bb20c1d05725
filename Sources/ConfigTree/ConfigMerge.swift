/// Layers merged into one tree, in which every node knows what it replaced.
///
/// Maps merge deeply; scalars and lists replace; a value of another kind replaces. A null removes the key when an
/// earlier layer gave it a value. A null that removes nothing stays in the tree as what it says, so that
/// `default: null` of a field definition keeps its meaning: field definitions stand in lists, which replace as a whole,
/// or under keys that `keepsNull` names. Readers take a null as absent, so a kept one does no harm.
public struct ConfigMerge: Sendable {
    /// A key that a later layer removed.
    public struct Removal: Sendable {
        public var path: ConfigPath
        /// The null that removed it.
        public var by: ConfigNode
        /// What it removed, with its own history.
        public var removed: ConfigNode
    }

    public private(set) var tree: ConfigNode
    /// In the order in which they happened.
    public private(set) var removals: [Removal] = []
    private let keepsNull: @Sendable ([String]) -> Bool

    /// Begins with the first layer.
    ///
    /// - Parameter keepsNull: Whether a null at this path is a value rather than a removal.
    public init(_ first: ConfigNode, keepsNull: @escaping @Sendable ([String]) -> Bool = { _ in false }) {
        tree = first
        self.keepsNull = keepsNull
    }

    /// Puts a layer over what was merged so far.
    public mutating func apply(_ layer: ConfigNode) {
        tree = merged(tree, layer, path: [])
    }

    private mutating func merged(_ base: ConfigNode, _ layer: ConfigNode, path: [String]) -> ConfigNode {
        var result = layer
        result.overridden += [base.withoutHistory] + base.overridden
        guard case .mapping(var merged) = base.value, case .mapping(let over) = layer.value else { return result }
        for entry in over.entries {
            let childPath = path + [entry.key]
            guard let below = merged[entry.key] else {
                merged.set(entry)
                continue
            }
            if entry.node.isNull, !below.isNull, !keepsNull(childPath) {
                removals.append(Removal(path: ConfigPath(segments: childPath), by: entry.node, removed: below))
                merged.remove(entry.key)
                continue
            }
            var next = entry
            next.node = self.merged(below, entry.node, path: childPath)
            merged.set(next)
        }
        result.value = .mapping(merged)
        return result
    }
}

extension ConfigNode {
    fileprivate var withoutHistory: ConfigNode {
        var copy = self
        copy.overridden = []
        return copy
    }
}
