import Glibc

@testable import StreamRuntime

/// The disk as one process sees it. See ``World`` for why it may be unchecked.
struct SimulatedFiles: CheckpointFiles, @unchecked Sendable {
    let process: SimulatedProcess
    private var disk: SimulatedDisk { process.disk }

    /// A killed process ends in the middle of a call: as a failure that whoever asks about it finds out to be its end.
    private func call(_ what: StaticString) throws(FileFailure) {
        do { try process.call(what) } catch { throw FileFailure(number: EIO) }
    }

    func makeFolder(_ path: String) throws(FileFailure) {}

    func lock(_ path: String, isShared: Bool) throws(FileFailure) -> (any HeldLock)? {
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

    func open(_ path: String) throws(FileFailure) -> (any ReadableFile)? {
        try call("open file")
        return disk.content(path).map(OpenFile.init)
    }

    private final class OpenFile: ReadableFile {
        private let bytes: [UInt8]
        init(_ bytes: [UInt8]) { self.bytes = bytes }

        func read(at offset: Int, _ count: Int, into memory: UnsafeMutableRawPointer) throws(FileFailure) -> Int {
            let part = bytes.dropFirst(offset).prefix(count)
            part.withUnsafeBytes { if let base = $0.baseAddress { memory.copyMemory(from: base, byteCount: $0.count) } }
            return part.count
        }
    }

    func create(_ path: String) throws(FileFailure) -> any WritableFile {
        try call("create file")
        disk.write([], to: path)
        return NewFile(self, path)
    }

    private final class NewFile: WritableFile {
        private let files: SimulatedFiles
        private let path: String
        private var bytes: [UInt8] = []

        init(_ files: SimulatedFiles, _ path: String) { (self.files, self.path) = (files, path) }

        func append(_ piece: UnsafeRawBufferPointer) throws(FileFailure) {
            if files.process.world.chance.happens(files.process.failurePercent / 16) {
                files.process.incident("disk full")
                throw FileFailure(number: ENOSPC)
            }
            bytes += piece
            try files.call("append to file")
            files.disk.write(bytes, to: path)
        }

        func sync() throws(FileFailure) {
            try files.call("sync file")
            files.disk.sync(path)
        }
    }

    func names(in folder: String) throws(FileFailure) -> [String] {
        try call("list folder")
        return disk.names(beginningWith: folder + "/").map { String($0.dropFirst(folder.count + 1)) }
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

    func sync(folder path: String) throws(FileFailure) {
        try call("sync folder")
        disk.syncNames()
    }
}
