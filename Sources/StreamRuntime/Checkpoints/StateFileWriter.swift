internal import DataPath
internal import Diagnostics

/// Writes one worker's state, an aggregation after the other, piece by piece. What is not closed is removed.
///
/// Order of calls: for each aggregation ``append(_:)`` any number of times and ``finish()``; then ``close()``.
/// Threads: one at a time.
final class StateFileWriter {
    private let path: String
    private let name: String
    private let files: any CheckpointFiles
    /// Nil once it is closed.
    private var file: (any WritableFile)?
    private var start = 0
    private var end = 0
    /// Of the pieces since ``start``.
    private var checksums: [UInt32] = []

    init(folder: String, name: String, files: any CheckpointFiles = MachineFiles()) throws(PipelineError) {
        (path, self.name, self.files) = ("\(folder)/\(name)", name, files)
        do { file = try files.create(path) } catch { throw Self.failure(path, error) }
    }

    deinit {
        guard file != nil else { return }
        try? files.remove(path)
    }

    func append(_ piece: UnsafeRawBufferPointer) throws(PipelineError) {
        guard let length = UInt32(exactly: piece.count) else {
            throw PipelineError(
                .checkpointStorage, "the distinct values of a few groups are more than a checkpoint can hold (4 GiB)",
                hint: "use a shorter window or more columns in group_by", exitCode: 1)
        }
        let checksum = CRC32C.checksum(piece)
        checksums.append(checksum.littleEndian)
        do throws(FileFailure) {
            try withUnsafeBytes(of: (length.littleEndian, checksum.littleEndian)) { (header) throws(FileFailure) in
                try file?.append(header)
            }
            KillPoint.duringState.pass()
            try file?.append(piece)
        } catch {
            throw Self.failure(path, error)
        }
        end += StateFile.headerBytes + piece.count
    }

    /// Ends an aggregation's state and gives its place.
    func finish() -> StateFile {
        defer { (start, checksums) = (end, []) }
        return StateFile(
            name: name, offset: start, length: end - start,
            checksum: checksums.withUnsafeBytes { CRC32C.checksum($0) })
    }

    /// Makes the file durable; its place in the folder is not yet.
    ///
    /// - Parameter isDurable: False for what only the processes that run now read.
    func close(isDurable: Bool = true) throws(PipelineError) {
        if isDurable { do { try file?.sync() } catch { throw Self.failure(path, error) } }
        file = nil
    }

    private static func failure(_ path: String, _ failure: FileFailure) -> PipelineError {
        CheckpointStore.failure("cannot write \(path)", failure)
    }
}
