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
    /// Locked by the process of a cluster that puts a checkpoint in place.
    private var turnFile: String { "\(folder)/saving" }

    private let files: any CheckpointFiles

    init(folder: String, files: any CheckpointFiles = MachineFiles()) {
        self.folder = folder
        self.files = files
    }

    /// Makes this process the only runner of the domain on this machine until ``Lock`` is released, or one of those that share
    /// it.
    func lock(isShared: Bool = false) throws(PipelineError) -> Lock {
        try makeFolder()
        let held: (any HeldLock)?
        do { held = try files.lock(lockFile, isShared: isShared) } catch {
            throw failure("cannot lock \(lockFile)", error)
        }
        guard let held else {
            throw PipelineError(
                .runnerBusy, "another `run` of this domain holds \(lockFile)",
                hint:
                    "stop that one first, or give this one another runtime.checkpoint.path; with runtime.cluster in the "
                    + "configuration of all, several share the work", exitCode: 1)
        }
        return Lock(held)
    }

    /// Released when it goes.
    final class Lock: Sendable {
        private let held: any HeldLock
        init(_ held: any HeldLock) { self.held = held }
    }

    /// What the folder holds.
    struct Saved: Sendable {
        /// Sound checkpoints, the newest first; the second is older than the first by one.
        var candidates: [Checkpoint] = []
        /// What a person should know about one that cannot be read.
        var warning: String?

        /// Of the runs that wrote them and their files: a checkpoint that `apply` has changed has no epoch of its own, and the
        /// files that it names must not be written again while it is the newest one.
        var highestEpoch: UInt64 {
            candidates.flatMap { [$0.epoch] + $0.files.map(\.epoch) }.max() ?? 0
        }
    }

    /// Reads the newest checkpoint and the one before. A damaged newest one is passed over when the one before is sound;
    /// one of a newer version is not.
    func load() throws(PipelineError) -> Saved {
        var saved = Saved()
        var failure: PipelineError?
        var sound: Set<StateFile> = []
        for path in [file, previous] {
            do {
                if let checkpoint = try read(path, &sound) { saved.candidates.append(checkpoint) }
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
        do { return try files.read(path) } catch {
            throw Unreadable(reported: failure("cannot read \(path)", error), isFinal: true)
        }
    }

    /// Nil when there is no such file. Its files of state are not looked at.
    private func decoded(_ path: String) throws -> Checkpoint? {
        try contents(path).map { try Checkpoint(decoding: $0) }
    }

    /// Nil when there is no such file.
    ///
    /// - Parameter sound: Parts of the state that have been read and are as they were written.
    private func read(_ path: String, _ sound: inout Set<StateFile>) throws(Unreadable) -> Checkpoint? {
        guard let bytes = try contents(path) else { return nil }
        do {
            let checkpoint = try Checkpoint(decoding: bytes)
            try verify(checkpoint, &sound)
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
    private func verify(_ checkpoint: Checkpoint, _ sound: inout Set<StateFile>) throws {
        for file in checkpoint.files where !sound.contains(file) {
            do {
                try StateFileReader(folder: folder, files: files).forEachPiece(of: file) { _ in }
                sound.insert(file)
            } catch let error as FileFailure {
                throw Unreadable(reported: failure("cannot read \(folder)/\(file.name)", error), isFinal: true)
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
    ///
    /// - Parameter epoch: Files of newer ones stay: they belong to a run that has replaced this one.
    func removeUnusedState(until epoch: UInt64 = .max) {
        var used: Set<String> = []
        for path in [file, previous] {
            do { used.formUnion(try decoded(path)?.fileNames ?? []) } catch { return }
        }
        for name in (try? files.names(in: folder)) ?? [] where !used.contains(name) {
            guard let owner = StateFile.epoch(ofName: name), owner <= epoch else { continue }
            try? files.remove("\(folder)/\(name)")
        }
    }

    /// Puts a checkpoint in place and gives its size in bytes, without its files.
    ///
    /// - Parameters:
    ///   - keepingPrevious: Whether the newest one until now stays as the one before.
    ///   - isShared: Other processes may save, too: one that was replaced throws `SP6200`.
    @discardableResult
    func save(
        _ checkpoint: Checkpoint, keepingPrevious: Bool = true, isShared: Bool = false
    ) throws(PipelineError) -> Int {
        let temporary = isShared ? "\(folder)/\(StateFile.prefix)\(checkpoint.epoch)-new" : "\(file).new"
        let bytes = checkpoint.encoded()
        do {
            // Before anything names the files of state, their places in the folder are durable.
            if !checkpoint.fileNames.isEmpty { try files.sync(folder: folder) }
            try files.write(bytes, to: temporary)
            if isShared {
                // Held for two renames only: whoever is paused with it holds up the others.
                let turn = try takeTurn()
                try withExtendedLifetime(turn) {
                    try requireNoNewer(than: checkpoint.epoch)
                    try replace(by: temporary, keepingPrevious)
                }
            } else {
                try replace(by: temporary, keepingPrevious)
            }
            // The renames are durable when their folder is; only then may files go that the one before the last one names.
            try files.sync(folder: folder)
        } catch {
            try? files.remove(temporary)
            throw (error as? PipelineError)
                ?? failure("cannot write the checkpoint \(file)", error as? FileFailure ?? FileFailure(number: EIO))
        }
        removeUnusedState(until: isShared ? checkpoint.epoch : .max)
        return bytes.count
    }

    private func replace(by temporary: String, _ keepingPrevious: Bool) throws(FileFailure) {
        if keepingPrevious { try files.rename(file, to: previous) } else { try files.remove(previous) }
        KillPoint.betweenRenames.pass()
        guard try files.rename(temporary, to: file) else { throw FileFailure(number: ENOENT) }
    }

    /// Waits until no other process of the cluster is putting a checkpoint in place, and keeps them from it.
    private func takeTurn() throws -> any HeldLock {
        for _ in 0..<Self.turnAttempts {
            if let turn = try files.lock(turnFile, isShared: false) { return turn }
            usleep(Self.turnPauseMicroseconds)
        }
        throw PipelineError(
            .checkpointStorage, "another process of the cluster keeps \(turnFile) locked",
            hint: "is it paused? it goes on when it is woken, and the others when it is woken or killed",
            retry: .backoff)
    }

    private static let turnAttempts = 1000
    private static let turnPauseMicroseconds: UInt32 = 5000

    /// A leader that was paused may have been replaced: the newer one's checkpoint counts what this one could not write.
    private func requireNoNewer(than epoch: UInt64) throws {
        let saved = [file, previous].compactMap { try? decoded($0) }
        guard let newest = saved.first(where: { $0.epoch > epoch }) else { return }
        throw PipelineError(
            .writerReplaced,
            "a process of the cluster with epoch \(newest.epoch) has written a checkpoint, this one has \(epoch)",
            hint: "nothing is lost: the newer one counts what this one could not write")
    }

    private func makeFolder() throws(PipelineError) {
        var path = folder.hasPrefix("/") ? "" : "."
        for part in folder.split(separator: "/") {
            path += "/\(part)"
            do { try files.makeFolder(path) } catch { throw failure("cannot create the folder \(path)", error) }
        }
    }

    private func failure(_ what: String, _ failure: FileFailure) -> PipelineError { Self.failure(what, failure) }

    static func failure(_ what: String, _ failure: FileFailure) -> PipelineError {
        let reason = failure.number
        return PipelineError(
            .checkpointStorage, "\(what): \(String(cString: strerror(reason)))",
            hint: reason == ENOSPC
                ? "free some space; the last checkpoint is untouched" : "see runtime.checkpoint.path",
            exitCode: reason == EACCES || reason == EROFS ? 3 : 1)
    }
}
