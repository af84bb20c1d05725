package import Diagnostics
import Glibc

/// Whose files they are: what errors say beside the path and the cause.
package struct FileOwner: Sendable {
    package struct Codes: Sendable {
        package var notAccessible: DiagnosticCode
        package var failed: DiagnosticCode
        package var full: DiagnosticCode

        package init(notAccessible: DiagnosticCode, failed: DiagnosticCode, full: DiagnosticCode) {
            self.notAccessible = notAccessible
            self.failed = failed
            self.full = full
        }
    }

    private let component: String
    /// What a person sets to have the files elsewhere: `the broker's 'path'`.
    private let setting: String
    /// What helps when the disk is full.
    private let room: String
    private let codes: Codes

    package init(component: String, setting: String, room: String, codes: Codes) {
        self.component = component
        self.setting = setting
        self.room = room
        self.codes = codes
    }

    private func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

    /// A file or folder cannot be opened or created.
    package func notAccessible(_ path: String, _ action: String, _ code: Int32) -> PipelineError {
        let hint: String
        switch code {
        case EACCES, EPERM:
            hint =
                "give this user write access to the folder, or set \(setting) to one that it may write"
                + holder(of: path)
        case EROFS: hint = "the file system is read-only: set \(setting) to a folder on another one"
        case ENOTDIR: hint = "a part of the path is a file, not a folder"
        case EMFILE, ENFILE: hint = "too many files are open: raise the limit (ulimit -n)"
        default: hint = "check \(setting)"
        }
        if code == ENOSPC || code == EDQUOT { return full(path, code) }
        return PipelineError(
            codes.notAccessible, "cannot \(action) \(path): \(reason(code))", hint: hint, component: component,
            exitCode: 3)
    }

    package func failed(_ path: String, _ action: String, _ code: Int32) -> PipelineError {
        PipelineError(
            codes.failed, "cannot \(action) \(path): \(reason(code))",
            hint: "look at the system's log for disk errors", component: component)
    }

    package func full(_ path: String, _ code: Int32) -> PipelineError {
        let isLimit = code == EFBIG
        return PipelineError(
            codes.full, "cannot append to \(path): \(reason(code)); the partial write was taken back",
            hint: isLimit ? "the process has a file size limit (ulimit -f) below the size that the file needs" : room,
            component: component, retry: isLimit ? .never : .backoff)
    }

    /// Creates the folder and its parents where they are missing.
    package func createFolder(_ path: String) throws(PipelineError) {
        if mkdir(path, 0o755) == 0 { return }
        let code = errno
        if code == EEXIST {
            if Self.isFolder(path) { return }
            throw notAccessible(path, "create the folder", ENOTDIR)
        }
        if code == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try createFolder(String(path[..<slash]))
            if mkdir(path, 0o755) == 0 || (errno == EEXIST && Self.isFolder(path)) { return }
            throw notAccessible(path, "create the folder", errno)
        }
        throw notAccessible(path, "create the folder", code)
    }

    package static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// " (… belongs to user id 1000, this process is user id 1001)", if that is so.
    private func holder(of path: String) -> String {
        var path = path
        while !path.isEmpty {
            var status = stat()
            if stat(path, &status) == 0 {
                let user = geteuid()
                return status.st_uid == user
                    ? "" : " (\(path) belongs to user id \(status.st_uid), this process is user id \(user))"
            }
            path = Self.parent(of: path)
        }
        return ""
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex && path.count > 1 ? "/" : String(path[..<slash])
    }
}
