internal import Compression
internal import Glibc

/// A file that is read from any place on. Threads: one.
final class PlacedFile: ByteInput {
    /// Where the next read begins, in bytes.
    var offset = 0
    private let descriptor: Int32
    private let path: String

    /// Throws ``InputError``.
    init(path: String) throws(InputError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure() }
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = try read(once: offset, into: buffer)
        offset += count
        return count
    }

    /// Fills the buffer with the bytes from `place` on, or with fewer at the end of the file. Throws ``InputError``.
    func read(at place: Int, into buffer: UnsafeMutableRawBufferPointer) throws(InputError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = try read(once: place + filled, into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    private func read(once place: Int, into buffer: UnsafeMutableRawBufferPointer) throws(InputError) -> Int {
        while true {
            let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(place))
            if count >= 0 { return count }
            if errno != EINTR { throw failure() }
        }
    }

    private func failure() -> InputError {
        InputError(source: path, reason: String(cString: strerror(errno)), isMissing: errno == ENOENT)
    }
}
