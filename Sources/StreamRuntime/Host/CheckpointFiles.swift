internal import Glibc

/// The few things that checkpoints need of a file system. Paths are absolute or relative to the working folder.
/// Threads: one at a time.
protocol CheckpointFiles: Sendable {
    /// Creates a folder; one that is there is fine.
    func makeFolder(_ path: String) throws(FileFailure)
    /// Locks a file, which is created if it is missing, until the result goes; nil when another holds it. Any number of
    /// processes may share a lock that none has alone.
    func lock(_ path: String, isShared: Bool) throws(FileFailure) -> (any HeldLock)?
    /// A file's content; nil when there is no such file.
    func read(_ path: String) throws(FileFailure) -> [UInt8]?
    /// Opens a file to read parts of it; nil when there is no such file.
    func open(_ path: String) throws(FileFailure) -> (any ReadableFile)?
    /// Makes a file of these bytes, or replaces its content, and returns when they are on the disk.
    func write(_ bytes: [UInt8], to path: String) throws(FileFailure)
    /// Makes an empty file, or empties one, to be written piece by piece.
    func create(_ path: String) throws(FileFailure) -> any WritableFile
    /// The names in a folder, in any order.
    func names(in folder: String) throws(FileFailure) -> [String]
    /// Replaces `new` if it is there; false when `old` is not.
    @discardableResult
    func rename(_ old: String, to new: String) throws(FileFailure) -> Bool
    /// Removes a file; one that is not there is fine.
    func remove(_ path: String) throws(FileFailure)
    /// Returns when the folder's names are on the disk.
    func sync(folder path: String) throws(FileFailure)
}

/// A file that is open for reading; closed when it goes. Threads: one at a time.
protocol ReadableFile: AnyObject {
    /// Reads up to `count` bytes at a place; gives how many, 0 behind the end.
    func read(at offset: Int, _ count: Int, into memory: UnsafeMutableRawPointer) throws(FileFailure) -> Int
}

/// A file that is open for writing; closed when it goes. Threads: one at a time.
protocol WritableFile: AnyObject {
    func append(_ bytes: UnsafeRawBufferPointer) throws(FileFailure)
    /// Returns when all that was appended is on the disk.
    func sync() throws(FileFailure)
}

/// Why a call of the file system failed.
struct FileFailure: Error {
    /// The number of the error, such as `ENOSPC`.
    var number: Int32
}

/// Holds a lock for as long as it lives.
protocol HeldLock: AnyObject, Sendable {}
