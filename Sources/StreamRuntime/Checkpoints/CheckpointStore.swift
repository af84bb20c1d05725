internal import Diagnostics
internal import Glibc

/// Keeps the newest checkpoint of one domain in a folder. A checkpoint replaces the last one atomically: written to a
/// new file, synced, renamed. Threads: one.
struct CheckpointStore {
    let folder: String
    private var file: String { "\(folder)/checkpoint" }
    private var lockFile: String { "\(folder)/lock" }

    init(folder: String) { self.folder = folder }

    /// Makes this process the only runner of the domain on this machine until ``Lock`` is released.
    func lock() throws(PipelineError) -> Lock {
        try makeFolder()
        let descriptor = open(lockFile, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure("cannot open \(lockFile)") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            close(descriptor)
            guard reason == EWOULDBLOCK else { throw failure("cannot lock \(lockFile)", errno: reason) }
            throw PipelineError(
                .runnerBusy, "another `run` of this domain holds \(lockFile)",
                hint: "stop that one first, or give this one another runtime.checkpoint.path", exitCode: 1)
        }
        return Lock(descriptor: descriptor)
    }

    /// Released when it goes; the kernel releases it when the process dies.
    final class Lock {
        private let descriptor: Int32
        init(descriptor: Int32) { self.descriptor = descriptor }
        deinit { close(descriptor) }
    }

    /// The newest checkpoint, or nil when there is none.
    func load() throws(PipelineError) -> Checkpoint? {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            if errno == ENOENT { return nil }
            throw failure("cannot read \(file)")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("cannot read \(file)")
            }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        do {
            return try Checkpoint(decoding: bytes)
        } catch {
            let reason =
                switch error {
                case .notACheckpoint: "is not a checkpoint"
                case .otherVersion(let version): "has version \(version), this program reads \(Checkpoint.version)"
                case .damaged: "is damaged: its checksum or length does not fit"
                }
            throw PipelineError(
                .checkpointUnreadable, "\(file) \(reason)",
                hint: "run with --from-earliest to count everything anew; results are replaced, not doubled",
                exitCode: 1)
        }
    }

    /// Gives the size in bytes.
    @discardableResult
    func save(_ checkpoint: Checkpoint) throws(PipelineError) -> Int {
        let temporary = "\(file).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure("cannot write \(temporary)") }
        let bytes = checkpoint.encoded()
        var written = 0
        var reason: Int32 = 0
        bytes.withUnsafeBytes { buffer in
            while written < buffer.count, let base = buffer.baseAddress {
                let count = write(descriptor, base + written, buffer.count - written)
                if count < 0 {
                    if errno == EINTR { continue }
                    reason = errno
                    return
                }
                written += count
            }
        }
        if reason == 0, fsync(descriptor) != 0 { reason = errno }
        close(descriptor)
        if reason == 0, rename(temporary, file) != 0 { reason = errno }
        guard reason == 0 else {
            unlink(temporary)
            throw failure("cannot write the checkpoint \(file)", errno: reason)
        }
        // The rename is durable when its folder is.
        let folderDescriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folderDescriptor >= 0 {
            fsync(folderDescriptor)
            close(folderDescriptor)
        }
        return bytes.count
    }

    private func makeFolder() throws(PipelineError) {
        var path = folder.hasPrefix("/") ? "" : "."
        for part in folder.split(separator: "/") {
            path += "/\(part)"
            if mkdir(path, 0o755) != 0, errno != EEXIST { throw failure("cannot create the folder \(path)") }
        }
    }

    private func failure(_ what: String, errno reason: Int32 = errno) -> PipelineError {
        PipelineError(
            .checkpointStorage, "\(what): \(String(cString: strerror(reason)))",
            hint: reason == ENOSPC
                ? "free some space; the last checkpoint is untouched" : "see runtime.checkpoint.path",
            exitCode: reason == EACCES || reason == EROFS ? 3 : 1)
    }
}
