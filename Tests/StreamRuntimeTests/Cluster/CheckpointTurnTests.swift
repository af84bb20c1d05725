import DataPath
import Diagnostics
import Foundation
import Testing

@testable import StreamRuntime

@Suite("Checkpoints that several processes save")
struct CheckpointTurnTests {
    /// Another leader of the cluster saves while this one is in the middle of it, as when it was paused there.
    private struct InterruptedFiles: CheckpointFiles {
        var machine = MachineFiles()
        /// Called when the new checkpoint is written and not yet in place.
        var interruption: @Sendable () -> Void

        func makeFolder(_ path: String) throws(FileFailure) { try machine.makeFolder(path) }
        func lock(_ path: String, isShared: Bool) throws(FileFailure) -> (any HeldLock)? {
            try machine.lock(path, isShared: isShared)
        }
        func read(_ path: String) throws(FileFailure) -> [UInt8]? { try machine.read(path) }
        func open(_ path: String) throws(FileFailure) -> (any ReadableFile)? { try machine.open(path) }
        func write(_ bytes: [UInt8], to path: String) throws(FileFailure) {
            try machine.write(bytes, to: path)
            interruption()
        }
        func create(_ path: String) throws(FileFailure) -> any WritableFile { try machine.create(path) }
        func names(in folder: String) throws(FileFailure) -> [String] { try machine.names(in: folder) }
        func rename(_ old: String, to new: String) throws(FileFailure) -> Bool { try machine.rename(old, to: new) }
        func remove(_ path: String) throws(FileFailure) { try machine.remove(path) }
        func sync(folder path: String) throws(FileFailure) { try machine.sync(folder: path) }
    }

    @Test("a leader that was replaced in the middle of saving leaves the newer leader's checkpoints alone")
    func replacedWhileSaving() throws {
        let folder = NSTemporaryDirectory() + "streamplat-checkpoint-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        @Sendable func checkpoint(_ epoch: UInt64, _ sequence: UInt64) -> Checkpoint {
            Checkpoint(sequence: sequence, epoch: epoch, hashKey: HashKey(k0: 1, k1: 2), sections: [])
        }
        try CheckpointStore(folder: folder).save(checkpoint(5, 7), isShared: true)
        let old = CheckpointStore(
            folder: folder,
            files: InterruptedFiles {
                let newer = CheckpointStore(folder: folder)
                for sequence in 8...9 as ClosedRange<UInt64> {
                    _ = try? newer.save(checkpoint(6, sequence), isShared: true)
                }
            })
        let error = #expect(throws: PipelineError.self) { try old.save(checkpoint(5, 8), isShared: true) }
        #expect(error?.code == .writerReplaced)
        let saved = try CheckpointStore(folder: folder).load()
        #expect(saved.candidates.map(\.sequence) == [9, 8] && saved.candidates.allSatisfy { $0.epoch == 6 })
        #expect(saved.warning == nil)
    }
}
