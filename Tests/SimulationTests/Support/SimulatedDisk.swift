/// A folder of checkpoints: what the kernel holds and what is on the medium. Names reach the medium in their order; content
/// and names only when they are synced, or by chance before.
final class SimulatedDisk {
    private final class File {
        var bytes: [UInt8] = []
        /// What is on the medium for sure; nil = nothing is.
        var synced: [UInt8]?

        var copy: File {
            let copy = File()
            (copy.bytes, copy.synced) = (bytes, synced)
            return copy
        }
    }

    private enum Change {
        case put(String, File)
        case move(String, String)
        case remove(String)
    }

    private var names: [String: File] = [:]
    private var durableNames: [String: File] = [:]
    private var pending: [Change] = []
    var lockHolder: Int?

    func content(_ path: String) -> [UInt8]? { names[path]?.bytes }

    /// Writes without syncing.
    func write(_ bytes: [UInt8], to path: String) {
        if let file = names[path] {
            file.bytes = bytes
        } else {
            let file = File()
            file.bytes = bytes
            apply(.put(path, file))
        }
    }

    /// The names that begin with this, in their order.
    func names(beginningWith prefix: String) -> [String] { names.keys.filter { $0.hasPrefix(prefix) }.sorted() }

    func sync(_ path: String) { if let file = names[path] { file.synced = file.bytes } }

    func rename(_ old: String, to new: String) -> Bool {
        guard names[old] != nil else { return false }
        apply(.move(old, new))
        return true
    }

    func remove(_ path: String) { if names[path] != nil { apply(.remove(path)) } }

    func syncNames() {
        for change in pending { Self.carryOut(change, in: &durableNames) }
        pending = []
    }

    private func apply(_ change: Change) {
        Self.carryOut(change, in: &names)
        pending.append(change)
    }

    private static func carryOut(_ change: Change, in names: inout [String: File]) {
        switch change {
        case .put(let path, let file): names[path] = file
        case .move(let old, let new): names[new] = names.removeValue(forKey: old)
        case .remove(let path): names[path] = nil
        }
    }

    /// The machine loses power: of what was not synced some is there, some is not, and content may be torn.
    func losePower(_ chance: Chance) {
        let kept = chance.below(pending.count + 1)
        for change in pending.prefix(kept) { Self.carryOut(change, in: &durableNames) }
        pending = []
        for (_, file) in durableNames.sorted(by: { $0.key < $1.key }) where file.synced != file.bytes {
            var bytes = Array(file.bytes.prefix(chance.below(file.bytes.count + 1)))
            if chance.happens(30) {
                // A length that was written before its blocks.
                bytes += [UInt8](repeating: 0, count: file.bytes.count - bytes.count)
            }
            (file.bytes, file.synced) = (bytes, bytes)
        }
        names = durableNames
    }

    /// The same files on another machine.
    var copy: SimulatedDisk {
        let copy = SimulatedDisk()
        for (path, file) in names { copy.names[path] = file.copy }
        copy.durableNames = copy.names
        return copy
    }
}
