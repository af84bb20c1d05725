package import Diagnostics
package import Glibc

/// An open file: positioned reads and writes that are complete or throw. Closed by `deinit`. Threads: one at a time.
package final class DurableFile {
    package let path: String
    private let owner: FileOwner
    private let descriptor: Int32

    package init(path: String, flags: Int32, mode: mode_t = 0o644, owner: FileOwner) throws(PipelineError) {
        self.path = path
        self.owner = owner
        descriptor = DurableFile.open(path, flags, mode)
        if descriptor < 0 { throw owner.notAccessible(path, "open", errno) }
    }

    /// The file for reading, or nil when there is none.
    package init?(reading path: String, owner: FileOwner) throws(PipelineError) {
        self.path = path
        self.owner = owner
        descriptor = DurableFile.open(path, O_RDONLY, 0)
        if descriptor < 0 {
            if errno == ENOENT { return nil }
            throw owner.notAccessible(path, "open", errno)
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private static func open(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 {
        while true {
            let result = Glibc.open(path, flags | O_CLOEXEC, mode)
            if result >= 0 || errno != EINTR { return result }
        }
    }

    package struct Status {
        package var size: Int64
        package var linkCount: Int
        /// Of the last change of its contents, milliseconds since the epoch.
        package var modifiedMilliseconds: Int64
    }

    package func status() throws(PipelineError) -> Status {
        var status = stat()
        if fstat(descriptor, &status) != 0 { throw owner.failed(path, "look at", errno) }
        return Status(
            size: Int64(status.st_size), linkCount: Int(status.st_nlink),
            modifiedMilliseconds: Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000)
    }

    /// Reads up to `count` bytes at `position`; fewer only at the end of the file.
    package func read(into target: UnsafeMutableRawPointer, count: Int, at position: Int64) throws(PipelineError) -> Int
    {
        var done = 0
        while done < count {
            let result = pread(descriptor, target + done, count - done, Int(position) + done)
            if result == 0 { break }
            if result < 0 {
                if errno == EINTR { continue }
                throw owner.failed(path, "read", errno)
            }
            done += result
        }
        return done
    }

    /// Writes all bytes at `position`; on failure nothing is said about how many were written.
    package func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(PipelineError) {
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let result = pwrite(descriptor, base + done, bytes.count - done, Int(position) + done)
            if result < 0 {
                let code = errno
                if code == EINTR { continue }
                if code == ENOSPC || code == EFBIG || code == EDQUOT { throw owner.full(path, code) }
                throw owner.failed(path, "write to", code)
            }
            done += result
        }
    }

    package func truncate(to size: Int64) throws(PipelineError) {
        while ftruncate(descriptor, Int(size)) != 0 {
            if errno != EINTR { throw owner.failed(path, "shorten", errno) }
        }
    }

    /// Makes contents durable.
    package func synchronize() throws(PipelineError) {
        while fdatasync(descriptor) != 0 {
            if errno != EINTR { throw owner.failed(path, "make durable", errno) }
        }
    }

    /// Runs `body` while this descriptor holds the file's `flock`. Waits for other holders.
    package func withLock<Result>(shared: Bool = false, _ body: () throws -> Result) throws -> Result {
        while flock(descriptor, shared ? LOCK_SH : LOCK_EX) != 0 {
            if errno != EINTR { throw owner.failed(path, "lock", errno) }
        }
        defer { flock(descriptor, LOCK_UN) }
        return try body()
    }

    /// The whole contents; for small files.
    package func contents(from position: Int64 = 0) throws(PipelineError) -> [UInt8] {
        let size = Int(try status().size - position)
        guard size > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: size)
        var count = 0
        do {
            count = try bytes.withUnsafeMutableBytes { buffer in
                guard let base = buffer.baseAddress else { return 0 }
                return try read(into: base, count: size, at: position)
            }
        } catch let error as PipelineError {
            throw error
        } catch {
            throw owner.failed(path, "read", EIO)
        }
        bytes.removeLast(size - count)
        return bytes
    }
}
