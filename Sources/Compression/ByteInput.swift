internal import Glibc

/// A source of bytes that is read from front to back.
///
/// Threads: one at a time.
public protocol ByteInput: AnyObject {
    /// Reads at least one and at most `buffer.count` bytes and returns how many; 0 only at the end (or for an empty
    /// buffer). Blocks until there is something. Throws ``InputError`` when the source fails.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// A failure to open or read a source of bytes.
public struct InputError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The path as it was given, or `standard input`.
    public var source: String
    /// What failed, such as `No such file or directory`.
    public var reason: String
    /// Whether the file is not there (as opposed to unreadable), which is exit code 3 at opening.
    public var isMissing: Bool

    public init(source: String, reason: String, isMissing: Bool = false) {
        self.source = source
        self.reason = reason
        self.isMissing = isMissing
    }

    public var description: String { "\(source): \(reason)" }
}

/// A file, or standard input. Closes the file when it goes away.
public final class FileInput: ByteInput {
    private let descriptor: Int32
    private let ownsDescriptor: Bool
    /// The path as it was given, or `standard input`; for messages.
    public let name: String

    /// Opens a file for reading; `-` is standard input. Throws ``InputError``.
    public init(path: String) throws(InputError) {
        if path == "-" {
            (descriptor, ownsDescriptor, name) = (STDIN_FILENO, false, "standard input")
            return
        }
        let opened = open(path, O_RDONLY | O_CLOEXEC)
        guard opened >= 0 else { throw Self.error(path, errno) }
        var status = stat()
        if fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            close(opened)
            throw InputError(source: path, reason: "it is a folder")
        }
        (descriptor, ownsDescriptor, name) = (opened, true, path)
    }

    deinit { if ownsDescriptor { close(descriptor) } }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard buffer.count > 0, let base = buffer.baseAddress else { return 0 }
        while true {
            let count = Glibc.read(descriptor, base, buffer.count)
            if count >= 0 { return count }
            // A signal that is handled elsewhere interrupts the call; nothing was read.
            if errno != EINTR { throw Self.error(name, errno) }
        }
    }

    private static func error(_ source: String, _ code: Int32) -> InputError {
        InputError(source: source, reason: String(cString: strerror(code)), isMissing: code == ENOENT)
    }
}

/// Bytes in memory.
public final class MemoryInput: ByteInput {
    private let bytes: [UInt8]
    private var position = 0

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, bytes.count - position)
        guard count > 0 else { return 0 }
        bytes.withUnsafeBytes { all in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: all[position..<position + count]))
        }
        position += count
        return count
    }
}
