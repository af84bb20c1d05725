internal import DataPath

/// Reads what ``StateFileWriter`` wrote, with one piece in memory at a time. Threads: one at a time.
struct StateFileReader {
    /// The file is not there, or its bytes are not those that were written.
    struct Damage: Error {}

    let folder: String
    var files: any CheckpointFiles = MachineFiles()

    /// Gives each piece of `file` to `take`. Throws ``Damage``, ``FileFailure``, or what `take` throws. Pieces that come
    /// before a damaged one are given.
    func forEachPiece(of file: StateFile, _ take: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard file.isPlain, let open = try files.open("\(folder)/\(file.name)") else { throw Damage() }
        var position = file.offset
        let (end, overflow) = position.addingReportingOverflow(file.length)
        guard !overflow else { throw Damage() }
        var checksums: [UInt32] = []
        var capacity = 1 << 16
        var memory = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
        defer { memory.deallocate() }
        while position < end {
            guard end - position >= StateFile.headerBytes else { throw Damage() }
            try read(open, at: position, StateFile.headerBytes, into: memory)
            let length = Int(UInt32(littleEndian: memory.load(as: UInt32.self)))
            let checksum = UInt32(littleEndian: memory.load(fromByteOffset: 4, as: UInt32.self))
            position += StateFile.headerBytes
            guard length <= end - position else { throw Damage() }
            if length > capacity {
                memory.deallocate()
                capacity = max(length, capacity * 2)
                memory = .allocate(byteCount: capacity, alignment: 8)
            }
            try read(open, at: position, length, into: memory)
            position += length
            let piece = UnsafeRawBufferPointer(start: memory, count: length)
            guard CRC32C.checksum(piece) == checksum else { throw Damage() }
            checksums.append(checksum.littleEndian)
            try take(piece)
        }
        guard checksums.withUnsafeBytes({ CRC32C.checksum($0) }) == file.checksum else { throw Damage() }
    }

    private func read(
        _ file: any ReadableFile, at position: Int, _ count: Int, into memory: UnsafeMutableRawPointer
    ) throws {
        var done = 0
        while done < count {
            let got = try file.read(at: position + done, count - done, into: memory + done)
            if got == 0 { throw Damage() }
            done += got
        }
    }
}
