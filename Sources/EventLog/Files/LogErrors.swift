import Diagnostics
import Glibc

/// The sentences of the event log's errors: one place, so that all say path, cause and what to do.
enum LogErrors {
    static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

    /// A file or folder cannot be opened or created.
    static func notAccessible(_ path: String, _ action: String, _ code: Int32) -> PipelineError {
        let hint: String
        switch code {
        case EACCES, EPERM:
            hint =
                "give this user write access to the folder, or set the broker's 'path' to one that it may write"
                + owner(of: path)
        case EROFS: hint = "the file system is read-only: set the broker's 'path' to a folder on another one"
        case ENOTDIR: hint = "a part of the path is a file, not a folder"
        case EMFILE, ENFILE: hint = "too many files are open: raise the limit (ulimit -n)"
        default: hint = "check the broker's 'path'"
        }
        if code == ENOSPC || code == EDQUOT { return full(path, code) }
        return PipelineError(
            .logNotAccessible, "cannot \(action) \(path): \(reason(code))", hint: hint, component: "event log",
            exitCode: 3)
    }

    static func failed(_ path: String, _ action: String, _ code: Int32) -> PipelineError {
        PipelineError(
            .logFailed, "cannot \(action) \(path): \(reason(code))", hint: "look at the system's log for disk errors",
            component: "event log")
    }

    static func full(_ path: String, _ code: Int32) -> PipelineError {
        let isLimit = code == EFBIG
        return PipelineError(
            .logFull, "cannot append to \(path): \(reason(code)); the partial write was taken back",
            hint: isLimit
                ? "the process has a file size limit (ulimit -f) below the segment size"
                : "free space, or let topics expire with retention.ms or retention.bytes",
            component: "event log", retry: isLimit ? .never : .backoff)
    }

    static func corrupted(_ path: String, at position: Int64, _ what: String, hint: String? = nil) -> PipelineError {
        PipelineError(
            .logCorrupted, "corrupted log segment \(path), byte \(position): \(what)",
            hint: hint
                ?? "put the file back from a copy; without one, move the topic's folder away and fill the topic again",
            component: "event log")
    }

    static func damagedFile(_ path: String, _ what: String, hint: String) -> PipelineError {
        PipelineError(.logCorrupted, "\(path) is damaged: \(what)", hint: hint, component: "event log")
    }

    /// ", the folder belongs to user 1000 and this process is user 1001", if that is so.
    private static func owner(of path: String) -> String {
        var path = path
        while !path.isEmpty {
            var status = stat()
            if stat(path, &status) == 0 {
                let user = geteuid()
                return status.st_uid == user
                    ? "" : " (\(path) belongs to user id \(status.st_uid), this process is user id \(user))"
            }
            path = parent(of: path)
        }
        return ""
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex && path.count > 1 ? "/" : String(path[..<slash])
    }
}
