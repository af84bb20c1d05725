import Diagnostics
import DurableFiles
import Glibc

/// What the event log does with folders and whole small files.
enum Folder {
    /// Creates the folder and its parents where they are missing.
    static func create(_ path: String) throws(PipelineError) {
        try LogErrors.owner.createFolder(path)
    }

    static func isFolder(_ path: String) -> Bool { FileOwner.isFolder(path) }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Names in the folder, unsorted, without `.` and `..`; nil when there is no such folder.
    static func names(in path: String) throws(PipelineError) -> [String]? {
        guard let stream = opendir(path) else {
            if errno == ENOENT { return nil }
            throw LogErrors.notAccessible(path, "list the folder", errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw LogErrors.failed(path, "list the folder", errno) }
                break
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Makes the folder's entries durable.
    static func synchronize(_ path: String) throws(PipelineError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 { throw LogErrors.notAccessible(path, "open", errno) }
        defer { close(descriptor) }
        // Some file systems cannot do it for a folder and say EINVAL; there is nothing more to be done there.
        if fsync(descriptor) != 0, errno != EINVAL { throw LogErrors.failed(path, "make durable", errno) }
    }

    static func rename(_ old: String, to new: String) throws(PipelineError) {
        if Glibc.rename(old, new) != 0 { throw LogErrors.notAccessible(new, "put into place", errno) }
    }

    static func removeFile(_ path: String) throws(PipelineError) {
        if unlink(path) != 0, errno != ENOENT { throw LogErrors.notAccessible(path, "remove", errno) }
    }

    /// Removes a temporary folder of ours: files and folders below it.
    static func removeTree(_ path: String) throws(PipelineError) {
        for name in try names(in: path) ?? [] {
            let child = "\(path)/\(name)"
            if isFolder(child) { try removeTree(child) } else { try removeFile(child) }
        }
        if rmdir(path) != 0, errno != ENOENT { throw LogErrors.notAccessible(path, "remove", errno) }
    }

    /// Replaces a file by way of a temporary one beside it, so that a reader sees the old or the new contents.
    static func replaceFile(_ path: String, with text: String, durable: Bool) throws(PipelineError) {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let folder = String(path[..<slash])
        let temporary = "\(folder)/\(temporaryName())"
        let file = try LogFile(path: temporary, flags: O_WRONLY | O_CREAT | O_EXCL)
        do {
            let bytes = Array(text.utf8)
            try bytes.withUnsafeBytes { try file.write($0, at: 0) }
            if durable { try file.synchronize() }
            try rename(temporary, to: path)
        } catch let error as PipelineError {
            unlink(temporary)
            throw error
        } catch {
            throw LogErrors.failed(path, "write to", EIO)
        }
        if durable { try synchronize(folder) }
    }

    /// A name that no topic or group can have.
    static func temporaryName() -> String {
        "~\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 16))"
    }
}
