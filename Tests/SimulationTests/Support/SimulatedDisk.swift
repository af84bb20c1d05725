import Glibc

@testable import StreamRuntime

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

/// The disk as one process sees it. See ``World`` for why it may be unchecked.
struct SimulatedFiles: CheckpointFiles, @unchecked Sendable {
    let process: SimulatedProcess
    private var disk: SimulatedDisk { process.disk }

    /// A killed process ends in the middle of a call: as a failure that whoever asks about it finds out to be its end.
    private func call(_ what: StaticString) throws(FileFailure) {
        do { try process.call(what) } catch { throw FileFailure(number: EIO) }
    }

    func makeFolder(_ path: String) throws(FileFailure) {}

    func lock(_ path: String) throws(FileFailure) -> (any HeldLock)? {
        try call("lock")
        return Lock()
    }

    private final class Lock: HeldLock {}

    func read(_ path: String) throws(FileFailure) -> [UInt8]? {
        try call("read file")
        return disk.content(path)
    }

    func write(_ bytes: [UInt8], to path: String) throws(FileFailure) {
        if process.world.chance.happens(process.failurePercent / 8) {
            disk.write(Array(bytes.prefix(bytes.count / 3)), to: path)
            process.incident("disk full")
            throw FileFailure(number: ENOSPC)
        }
        disk.write(Array(bytes.prefix(process.world.chance.below(bytes.count + 1))), to: path)
        try call("write file")
        disk.write(bytes, to: path)
        try call("sync file")
        disk.sync(path)
    }

    func rename(_ old: String, to new: String) throws(FileFailure) -> Bool {
        try call("rename")
        let isThere = disk.rename(old, to: new)
        if isThere, new.hasSuffix("/checkpoint"), let bytes = disk.content(new) { process.checkNewest(bytes) }
        return isThere
    }

    func remove(_ path: String) throws(FileFailure) {
        try call("remove")
        disk.remove(path)
    }

    func sync(folder path: String) {
        guard (try? process.call("sync folder")) != nil else { return }
        disk.syncNames()
    }
}
