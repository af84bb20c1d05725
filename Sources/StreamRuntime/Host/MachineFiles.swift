internal import Glibc

/// The file system of this machine.
struct MachineFiles: CheckpointFiles {
    func makeFolder(_ path: String) throws(FileFailure) {
        if mkdir(path, 0o755) != 0, errno != EEXIST { throw FileFailure(number: errno) }
    }

    func lock(_ path: String, isShared: Bool) throws(FileFailure) -> (any HeldLock)? {
        let file = try Descriptor(path, O_RDWR | O_CREAT)
        guard flock(file.number, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else { throw FileFailure(number: errno) }
            return nil
        }
        return file
    }

    /// Closed when it goes. The kernel releases what it locks then, also when the process dies.
    private final class Descriptor: HeldLock, ReadableFile, WritableFile {
        let number: Int32

        init(_ path: String, _ flags: Int32) throws(FileFailure) {
            number = Glibc.open(path, flags | O_CLOEXEC, 0o644)
            guard number >= 0 else { throw FileFailure(number: errno) }
        }

        deinit { if number >= 0 { close(number) } }

        func read(at offset: Int, _ count: Int, into memory: UnsafeMutableRawPointer) throws(FileFailure) -> Int {
            while true {
                let got = pread(number, memory, count, offset)
                if got >= 0 { return got }
                guard errno == EINTR else { throw FileFailure(number: errno) }
            }
        }

        func append(_ bytes: UnsafeRawBufferPointer) throws(FileFailure) {
            var written = 0
            while written < bytes.count, let base = bytes.baseAddress {
                let count = Glibc.write(number, base + written, bytes.count - written)
                if count >= 0 {
                    written += count
                } else if errno != EINTR {
                    throw FileFailure(number: errno)
                }
            }
        }

        func sync() throws(FileFailure) { if fsync(number) != 0 { throw FileFailure(number: errno) } }
    }

    func open(_ path: String) throws(FileFailure) -> (any ReadableFile)? { try existing(path) }

    private func existing(_ path: String) throws(FileFailure) -> Descriptor? {
        do {
            return try Descriptor(path, O_RDONLY)
        } catch {
            guard error.number == ENOENT else { throw error }
            return nil
        }
    }

    func read(_ path: String) throws(FileFailure) -> [UInt8]? {
        guard let file = try existing(path) else { return nil }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = try file.read(at: bytes.count, chunk.count, into: &chunk)
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    func write(_ bytes: [UInt8], to path: String) throws(FileFailure) {
        let file = try Descriptor(path, O_WRONLY | O_CREAT | O_TRUNC)
        // Two halves, so that a test can end the program between them.
        for half in [bytes[..<(bytes.count / 2)], bytes[(bytes.count / 2)...]] {
            let written = half.withUnsafeBytes { part in
                Result { () throws(FileFailure) in try file.append(part) }
            }
            try written.get()
            if half.startIndex == 0 { KillPoint.duringCheckpoint.pass() }
        }
        try file.sync()
    }

    func create(_ path: String) throws(FileFailure) -> any WritableFile {
        try Descriptor(path, O_WRONLY | O_CREAT | O_TRUNC)
    }

    func names(in folder: String) throws(FileFailure) -> [String] {
        guard let directory = opendir(folder) else { throw FileFailure(number: errno) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }

    func rename(_ old: String, to new: String) throws(FileFailure) -> Bool {
        if Glibc.rename(old, new) == 0 { return true }
        if errno == ENOENT { return false }
        throw FileFailure(number: errno)
    }

    func remove(_ path: String) throws(FileFailure) {
        if unlink(path) != 0, errno != ENOENT { throw FileFailure(number: errno) }
    }

    func sync(folder path: String) throws(FileFailure) { try Descriptor(path, O_RDONLY | O_DIRECTORY).sync() }
}
