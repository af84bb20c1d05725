internal import Diagnostics
internal import Glibc

/// Keeps the newest checkpoint of one domain, and the one before, in a folder. A checkpoint is written to a new file,
/// synced, and renamed after the newest one was renamed to `checkpoint.previous`. The state of aggregations lies in files of
/// its own (``StateFileWriter``), which are there before a checkpoint names them and are removed when none does any more.
/// Threads: one.
struct CheckpointStore {
    let folder: String
    private var file: String { "\(folder)/checkpoint" }
    private var previous: String { "\(folder)/checkpoint.previous" }
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
    final class Lock: Sendable {
        private let descriptor: Int32
        init(descriptor: Int32) { self.descriptor = descriptor }
        deinit { close(descriptor) }
    }

    /// What the folder holds.
    struct Saved: Sendable {
        /// Sound checkpoints, the newest first; the second is older than the first by one.
        var candidates: [Checkpoint] = []
        /// What a person should know about one that cannot be read.
        var warning: String?

        var highestEpoch: UInt64 { candidates.map(\.epoch).max() ?? 0 }
    }

    /// Reads the newest checkpoint and the one before. A damaged newest one is passed over when the one before is sound;
    /// one of a newer version is not.
    func load() throws(PipelineError) -> Saved {
        var saved = Saved()
        var failure: PipelineError?
        for path in [file, previous] {
            do {
                if let checkpoint = try read(path) { saved.candidates.append(checkpoint) }
            } catch {
                if error.isFinal { throw error.reported }
                if failure == nil { failure = error.reported }
            }
        }
        if let failure {
            guard let first = saved.candidates.first else { throw failure }
            saved.warning =
                "\(failure.message); the run goes on from the checkpoint with number \(first.sequence), which is sound"
        }
        return saved
    }

    private struct Unreadable: Error {
        var reported: PipelineError
        /// Whether the checkpoint before may not stand in for it.
        var isFinal = false
    }

    /// Nil when there is no such file.
    private func contents(_ path: String) throws(Unreadable) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            if errno == ENOENT { return nil }
            throw Unreadable(reported: failure("cannot read \(path)"), isFinal: true)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw Unreadable(reported: failure("cannot read \(path)"), isFinal: true)
            }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return bytes
    }

    /// Nil when there is no such file. Its files of state are not looked at.
    private func decoded(_ path: String) throws -> Checkpoint? {
        try contents(path).map { try Checkpoint(decoding: $0) }
    }

    /// Nil when there is no such file.
    private func read(_ path: String) throws(Unreadable) -> Checkpoint? {
        guard let bytes = try contents(path) else { return nil }
        do {
            let checkpoint = try Checkpoint(decoding: bytes)
            try verify(checkpoint)
            return checkpoint
        } catch let error as Unreadable {
            throw error
        } catch {
            var unreadable = Unreadable(reported: unusable(""))
            let reason: String
            switch error as? Checkpoint.DecodingFailure ?? .damaged {
            case .notACheckpoint: reason = "is not a checkpoint"
            case .otherVersion(let version):
                reason =
                    "has version \(version), this program reads \(Checkpoint.oldestVersion) to \(Checkpoint.version)"
                unreadable.isFinal = true
            case .damaged: reason = "is damaged: its checksum or length does not fit"
            }
            unreadable.reported.message = "\(path) \(reason)"
            throw unreadable
        }
    }

    private func unusable(_ message: String) -> PipelineError {
        PipelineError(
            .checkpointUnreadable, message,
            hint: "run with --from-earliest to count everything anew; rows that have a key are replaced, not doubled",
            exitCode: 1)
    }

    /// Reads all state of a checkpoint, so that one that is damaged is known before anything goes on from it.
    private func verify(_ checkpoint: Checkpoint) throws {
        for file in checkpoint.sections.flatMap(\.files) {
            do {
                try StateFileReader(folder: folder).forEachPiece(of: file) { _ in }
            } catch StateFileReader.Failure.unreadable(let reason) {
                throw Unreadable(reported: failure("cannot read \(folder)/\(file.name)", errno: reason), isFinal: true)
            } catch {
                throw Unreadable(
                    reported: unusable(
                        "\(folder)/\(file.name), which belongs to a checkpoint, is damaged: its checksum or length does "
                            + "not fit"))
            }
        }
    }

    /// Removes files of state that no checkpoint names: those of checkpoints that were replaced, and of one that was being
    /// written when the program died. Nothing is removed while a checkpoint cannot be read, and what cannot be removed is
    /// tried again with the next checkpoint.
    func removeUnusedState() {
        var used: Set<String> = []
        for path in [file, previous] {
            guard let checkpoint = try? decoded(path) else {
                if access(path, F_OK) != 0, errno == ENOENT { continue }
                return
            }
            used.formUnion(checkpoint.fileNames)
        }
        guard let directory = opendir(folder) else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(StateFile.prefix), !used.contains(name) { unlink("\(folder)/\(name)") }
        }
    }

    /// Puts a checkpoint in place and gives its size in bytes, without its files.
    ///
    /// - Parameter keepingPrevious: Whether the newest one until now stays as the one before.
    @discardableResult
    func save(_ checkpoint: Checkpoint, keepingPrevious: Bool = true) throws(PipelineError) -> Int {
        let temporary = "\(file).new"
        let bytes = checkpoint.encoded()
        // Before anything names the files of state, their places in the folder are durable.
        var reason = checkpoint.fileNames.isEmpty ? 0 : syncFolder()
        if reason == 0 { reason = write(bytes, to: temporary) }
        if reason == 0, !keepingPrevious, unlink(previous) != 0, errno != ENOENT { reason = errno }
        if reason == 0, keepingPrevious, rename(file, previous) != 0, errno != ENOENT { reason = errno }
        KillPoint.betweenRenames.pass()
        if reason == 0, rename(temporary, file) != 0 { reason = errno }
        guard reason == 0 else {
            unlink(temporary)
            throw failure("cannot write the checkpoint \(file)", errno: reason)
        }
        // The renames are durable when their folder is; only then may files go that the one before the last one names.
        reason = syncFolder()
        guard reason == 0 else { throw failure("cannot write the checkpoint \(file)", errno: reason) }
        removeUnusedState()
        return bytes.count
    }

    /// Gives 0, or the number of the error.
    private func syncFolder() -> Int32 {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        return fsync(descriptor) == 0 ? 0 : errno
    }

    /// Gives 0, or the number of the error.
    private func write(_ bytes: [UInt8], to path: String) -> Int32 {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return errno }
        var reason: Int32 = 0
        // Two halves, so that a test can end the program between them.
        for half in [bytes[..<(bytes.count / 2)], bytes[(bytes.count / 2)...]] where reason == 0 {
            reason = half.withUnsafeBytes { append($0, to: descriptor) }
            if half.startIndex == 0 { KillPoint.duringCheckpoint.pass() }
        }
        if reason == 0, fsync(descriptor) != 0 { reason = errno }
        close(descriptor)
        return reason
    }

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

    private func makeFolder() throws(PipelineError) {
        var path = folder.hasPrefix("/") ? "" : "."
        for part in folder.split(separator: "/") {
            path += "/\(part)"
            if mkdir(path, 0o755) != 0, errno != EEXIST { throw failure("cannot create the folder \(path)") }
        }
    }

    private func failure(_ what: String, errno reason: Int32 = errno) -> PipelineError {
        Self.failure(what, errno: reason)
    }

    static func failure(_ what: String, errno reason: Int32 = errno) -> PipelineError {
        PipelineError(
            .checkpointStorage, "\(what): \(String(cString: strerror(reason)))",
            hint: reason == ENOSPC
                ? "free some space; the last checkpoint is untouched" : "see runtime.checkpoint.path",
            exitCode: reason == EACCES || reason == EROFS ? 3 : 1)
    }
}
