import Glibc

/// The whole content of a file and who may read it.
public struct FileBytes: Sendable {
    public var bytes: [UInt8]
    /// The permission bits.
    public var mode: UInt32

    /// Whether everybody on the machine has the right to read it.
    public var isWorldReadable: Bool { mode & 0o004 != 0 }

    /// Reads a file of at most `byteLimit` bytes.
    public init(path: String, byteLimit: Int) throws(FileReadError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileReadError(errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileReadError(errno) }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw .isFolder }
        mode = UInt32(status.st_mode) & 0o7777
        var result: [UInt8] = []
        let chunk = 1 << 16
        while true {
            let start = result.count
            var failure: Int32 = 0
            result.append(contentsOf: repeatElement(0, count: chunk))
            let count = result.withUnsafeMutableBytes { buffer in
                let count = read(descriptor, buffer.baseAddress?.advanced(by: start), chunk)
                if count < 0 { failure = errno }
                return count
            }
            result.removeLast(chunk - max(0, count))
            if count < 0 {
                if failure == EINTR { continue }
                throw FileReadError(failure)
            }
            if count == 0 { break }
            if result.count > byteLimit { throw .tooLarge(limit: byteLimit) }
        }
        bytes = result
    }
}

/// Why a file cannot be read.
public enum FileReadError: Error, Hashable, Sendable, CustomStringConvertible {
    case notFound
    case isFolder
    case tooLarge(limit: Int)
    /// The system's words, such as `Permission denied`.
    case system(String)

    init(_ code: Int32) {
        switch code {
        case ENOENT, ENOTDIR: self = .notFound
        case EISDIR: self = .isFolder
        default: self = .system(String(cString: strerror(code)))
        }
    }

    public var description: String {
        switch self {
        case .notFound: "it is not there"
        case .isFolder: "it is a folder"
        case .tooLarge(let limit): "it is larger than \(limit) bytes"
        case .system(let words): words
        }
    }
}
