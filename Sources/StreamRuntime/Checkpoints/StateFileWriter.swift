internal import DataPath
internal import Diagnostics
internal import Glibc

/// Writes one worker's state, an aggregation after the other, piece by piece. What is not closed is removed.
///
/// Order of calls: for each aggregation ``append(_:)`` any number of times and ``finish()``; then ``close()``.
/// Threads: one at a time.
final class StateFileWriter {
    private let path: String
    private let name: String
    private var descriptor: Int32
    private var start = 0
    private var end = 0
    /// Of the pieces since ``start``.
    private var checksums: [UInt32] = []

    init(folder: String, name: String) throws(PipelineError) {
        (path, self.name) = ("\(folder)/\(name)", name)
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw CheckpointStore.failure("cannot write \(path)") }
    }

    deinit {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        unlink(path)
    }

    func append(_ piece: UnsafeRawBufferPointer) throws(PipelineError) {
        guard let length = UInt32(exactly: piece.count) else {
            throw PipelineError(
                .checkpointStorage, "the distinct values of a few groups are more than a checkpoint can hold (4 GiB)",
                hint: "use a shorter window or more columns in group_by", exitCode: 1)
        }
        let checksum = CRC32C.checksum(piece)
        checksums.append(checksum.littleEndian)
        var reason = withUnsafeBytes(of: (length.littleEndian, checksum.littleEndian)) { write($0) }
        KillPoint.duringState.pass()
        if reason == 0 { reason = write(piece) }
        guard reason == 0 else { throw CheckpointStore.failure("cannot write \(path)", errno: reason) }
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
    func close() throws(PipelineError) {
        guard fsync(descriptor) == 0 else { throw CheckpointStore.failure("cannot write \(path)") }
        Glibc.close(descriptor)
        descriptor = -1
    }

    /// Gives 0, or the number of the error.
    private func write(_ bytes: UnsafeRawBufferPointer) -> Int32 {
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
}
