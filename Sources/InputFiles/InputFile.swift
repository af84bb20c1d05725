internal import AvroSchema
internal import Compression
public import Diagnostics
internal import Glibc

/// A file whose records a run reads in place of the messages of an event type's topic. Threads: any.
///
/// Its records are addressed like those of a topic, so that checkpoints, dead letters and lateness work as they do there:
/// a file has up to ``LineLane/count`` partitions, in which a record's offset is the byte at which it begins in an NDJSON
/// file, and its number in an Avro container file.
public struct InputFile: Sendable {
    private static let topicPrefix = "file:"
    /// Whether a topic's name stands for a file.
    public static func isTopic(_ name: String) -> Bool { name.hasPrefix(topicPrefix) }

    public enum Format: Sendable { case ndjson, avro }

    public let eventType: String
    /// As it was given.
    public let path: String
    /// What stands in checkpoints and dead letters for the topic: `file:` and the absolute path.
    public let topic: String
    public let format: Format
    /// Bytes, when it was opened: what is appended later is read by a later run.
    let size: Int64
    let absolutePath: String
    /// Of an Avro container.
    let writerSchema: String?
    let index: ContainerIndex?
    let pace = LanePace()
    /// Of an NDJSON file.
    let lines: LineIndex?

    /// Looks at the file's first bytes.
    ///
    /// Throws ``DiagnosticsError``: exit code 3 for a file that is not there, 2 for one that is nothing of the above, 1 for
    /// one that cannot be read.
    public init(eventType: String, path: String) throws(DiagnosticsError) {
        self.eventType = eventType
        self.path = path
        var status = stat()
        // Looked at before it is opened: opening a pipe waits for its writer.
        guard stat(path, &status) == 0, let resolved = realpath(path, nil) else {
            let code = errno
            throw Self.unreadable(
                path, path == "-" ? "a run reads no standard input" : String(cString: strerror(code)),
                hint: path == "-" ? "`streamplat ingest` does" : nil, exitCode: code == ENOENT && path != "-" ? 3 : 1)
        }
        defer { free(resolved) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Self.unknown(
                path, status.st_mode & S_IFMT == S_IFDIR ? "it is a folder" : "it is no regular file",
                hint: "name one file; `streamplat ingest` reads pipes")
        }
        let input: FileInput
        do {
            input = try FileInput(path: path)
        } catch {
            throw Self.unreadable(path, error.reason, exitCode: 1)
        }
        size = Int64(status.st_size)
        absolutePath = String(cString: resolved)
        topic = Self.topicPrefix + absolutePath
        var head = [UInt8](repeating: 0, count: 4)
        let count: Int
        do {
            count = try head.withUnsafeMutableBytes { try input.read(into: $0) }
        } catch {
            throw Self.unreadable(path, (error as? InputError)?.reason ?? "\(error)", exitCode: 1)
        }
        if count == 4, head == Array("Obj\u{1}".utf8) {
            format = .avro
            do {
                let reader = try AvroContainerReader(input: FileInput(path: path), name: path)
                writerSchema = reader.schema.json(pretty: false)
                index = ContainerIndex(
                    path: absolutePath, start: reader.byteOffset, size: Int(size), marker: reader.marker)
                lines = nil
            } catch let error as PipelineError {
                throw DiagnosticsError(
                    Diagnostic(error.code, "cannot read '\(path)': \(error.message)", hint: error.hint), exitCode: 1)
            } catch {
                throw Self.unreadable(path, "\(error)", exitCode: 1)
            }
            return
        }
        if head.starts(with: [0x1F, 0x8B]) {
            throw Self.unknown(path, "it is packed by gzip", hint: "unpack it, or use `streamplat ingest`")
        }
        let isMarked = head.starts(with: [0xEF, 0xBB, 0xBF])
        let first = isMarked ? (count > 3 ? head[3] : nil) : (count > 0 ? head[0] : nil)
        guard first == nil || "{ \n\r\t".utf8.contains(first ?? 0)
        else {
            throw Self.unknown(
                path, "it is neither NDJSON nor an Avro container", hint: "`streamplat ingest` reads CSV, too")
        }
        (format, writerSchema, index) = (.ndjson, nil, nil)
        do {
            lines = try LineIndex(fileName: path, path: absolutePath)
        } catch {
            throw Self.unreadable(path, error.reason, exitCode: 1)
        }
    }

    /// How many partitions it has.
    var partitions: Int {
        Int(min(Int64(LineLane.count), max(1, (size + LineLane.chunkBytes - 1) / LineLane.chunkBytes)))
    }

    private static func unreadable(
        _ path: String, _ reason: String, hint: String? = nil, exitCode: Int32
    ) -> DiagnosticsError {
        DiagnosticsError(
            Diagnostic(.inputNotReadable, "cannot read '\(path)': \(reason)", hint: hint), exitCode: exitCode)
    }

    private static func unknown(_ path: String, _ reason: String, hint: String) -> DiagnosticsError {
        DiagnosticsError(
            Diagnostic(.unknownInputFormat, "'\(path)' cannot be an input of `run`: \(reason)", hint: hint))
    }
}
