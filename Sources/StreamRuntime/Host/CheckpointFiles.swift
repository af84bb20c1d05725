internal import Glibc

/// The few things that checkpoints need of a file system. Paths are absolute or relative to the working folder.
/// Threads: one at a time.
protocol CheckpointFiles: Sendable {
    /// Creates a folder; one that is there is fine.
    func makeFolder(_ path: String) throws(FileFailure)
    /// Locks a file, which is created if it is missing, until the result goes; nil when another holds it.
    func lock(_ path: String) throws(FileFailure) -> (any HeldLock)?
    /// A file's content; nil when there is no such file.
    func read(_ path: String) throws(FileFailure) -> [UInt8]?
    /// Makes a file of these bytes, or replaces its content, and returns when they are on the disk.
    func write(_ bytes: [UInt8], to path: String) throws(FileFailure)
    /// Replaces `new` if it is there; false when `old` is not.
    @discardableResult
    func rename(_ old: String, to new: String) throws(FileFailure) -> Bool
    /// Removes a file; one that is not there is fine.
    func remove(_ path: String) throws(FileFailure)
    /// Returns when the folder's names are on the disk.
    func sync(folder path: String)
}

/// Why a call of the file system failed.
struct FileFailure: Error {
    /// The number of the error, such as `ENOSPC`.
    var number: Int32
}

/// Holds a lock for as long as it lives.
protocol HeldLock: AnyObject {}

/// The file system of this machine.
struct MachineFiles: CheckpointFiles {
    func makeFolder(_ path: String) throws(FileFailure) {
        if mkdir(path, 0o755) != 0, errno != EEXIST { throw FileFailure(number: errno) }
    }

    func lock(_ path: String) throws(FileFailure) -> (any HeldLock)? {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileFailure(number: errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            close(descriptor)
            guard reason == EWOULDBLOCK else { throw FileFailure(number: reason) }
            return nil
        }
        return LockedDescriptor(descriptor)
    }

    /// Released when it goes; the kernel releases it when the process dies.
    private final class LockedDescriptor: HeldLock {
        private let descriptor: Int32
        init(_ descriptor: Int32) { self.descriptor = descriptor }
        deinit { close(descriptor) }
    }

    func read(_ path: String) throws(FileFailure) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            if errno == ENOENT { return nil }
            throw FileFailure(number: errno)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileFailure(number: errno)
            }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    func write(_ bytes: [UInt8], to path: String) throws(FileFailure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileFailure(number: errno) }
        defer { close(descriptor) }
        // Two halves, so that a test can end the program between them.
        for half in [bytes[..<(bytes.count / 2)], bytes[(bytes.count / 2)...]] {
            let reason = half.withUnsafeBytes { append($0, to: descriptor) }
            guard reason == 0 else { throw FileFailure(number: reason) }
            if half.startIndex == 0 { KillPoint.duringCheckpoint.pass() }
        }
        if fsync(descriptor) != 0 { throw FileFailure(number: errno) }
    }

    /// Gives 0, or the number of the error.
    private func append(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
        var written = 0
        while written < bytes.count, let base = bytes.baseAddress {
            let count = Glibc.write(descriptor, base + written, bytes.count - written)
            if count < 0 {
                if errno == EINTR { continue }
                return errno
            }
            written += count
        }
        return 0
    }

    func rename(_ old: String, to new: String) throws(FileFailure) -> Bool {
        if Glibc.rename(old, new) == 0 { return true }
        if errno == ENOENT { return false }
        throw FileFailure(number: errno)
    }

    func remove(_ path: String) throws(FileFailure) {
        if unlink(path) != 0, errno != ENOENT { throw FileFailure(number: errno) }
    }

    func sync(folder path: String) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
