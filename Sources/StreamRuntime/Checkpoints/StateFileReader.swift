internal import DataPath
internal import Glibc

/// Reads what ``StateFileWriter`` wrote, with one piece in memory at a time. Threads: one at a time.
struct StateFileReader {
    enum Failure: Error {
        /// The file is not there, or its bytes are not those that were written.
        case damaged
        /// The operating system does not let us read; its number of the error.
        case unreadable(Int32)
    }

    let folder: String

    /// Gives each piece of `file` to `take`. Throws ``Failure``, or what `take` throws. Pieces that come before a damaged one
    /// are given.
    func forEachPiece(of file: StateFile, _ take: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard file.isPlain else { throw Failure.damaged }
        let descriptor = open("\(folder)/\(file.name)", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw errno == ENOENT ? Failure.damaged : Failure.unreadable(errno) }
        defer { close(descriptor) }
        var position = file.offset
        let (end, overflow) = position.addingReportingOverflow(file.length)
        guard !overflow else { throw Failure.damaged }
        var checksums: [UInt32] = []
        var capacity = 1 << 16
        var memory = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
        defer { memory.deallocate() }
        while position < end {
            guard end - position >= StateFile.headerBytes else { throw Failure.damaged }
            try read(descriptor, at: position, StateFile.headerBytes, into: memory)
            let length = Int(UInt32(littleEndian: memory.load(as: UInt32.self)))
            let checksum = UInt32(littleEndian: memory.load(fromByteOffset: 4, as: UInt32.self))
            position += StateFile.headerBytes
            guard length <= end - position else { throw Failure.damaged }
            if length > capacity {
                memory.deallocate()
                capacity = max(length, capacity * 2)
                memory = .allocate(byteCount: capacity, alignment: 8)
            }
            try read(descriptor, at: position, length, into: memory)
            position += length
            let piece = UnsafeRawBufferPointer(start: memory, count: length)
            guard CRC32C.checksum(piece) == checksum else { throw Failure.damaged }
            checksums.append(checksum.littleEndian)
            try take(piece)
        }
        guard checksums.withUnsafeBytes({ CRC32C.checksum($0) }) == file.checksum else { throw Failure.damaged }
    }

    private func read(
        _ descriptor: Int32, at position: Int, _ count: Int, into memory: UnsafeMutableRawPointer
    ) throws {
        var done = 0
        while done < count {
            let got = pread(descriptor, memory + done, count - done, position + done)
            if got < 0 {
                if errno == EINTR { continue }
                throw Failure.unreadable(errno)
            }
            if got == 0 { throw Failure.damaged }
            done += got
        }
    }
}
