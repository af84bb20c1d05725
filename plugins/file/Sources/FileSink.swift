internal import DataPath
internal import Diagnostics
internal import Glibc
internal import PluginAPI

/// A folder with one file a table, each beside a ``FileSidecar``. Rows are appended; ``flush()`` makes them durable.
/// A checkpoint keeps the files' lengths, and a run that goes on from it cuts them back to these: what was written after
/// the checkpoint is written again. Opening creates nothing. Threads: one.
final class FileSink: Sink {
    static let formats = ["ndjson", "csv"]

    private let folder: String
    private let isCSV: Bool
    private let access: PluginContext.Access
    private let notify: @Sendable (String) -> Void
    private var files: [String: Output] = [:]
    /// What the run writes here.
    private var claimed: [TableDefinition] = []

    private struct Output {
        var descriptor: Int32
        var buffer: ByteBuffer
        var path: String
        /// Bytes of whole rows that are in the file: a failed write is cut back to them.
        var length: off_t
    }

    private static let bufferLimit = 1 << 20

    init(
        folder: String, isCSV: Bool, access: PluginContext.Access, notify: @escaping @Sendable (String) -> Void
    ) {
        self.notify = notify
        self.folder = folder
        self.isCSV = isCSV
        self.access = access
    }

    // MARK: Rows

    func write(_ rows: RecordBatch, to table: TableDefinition) throws {
        let output = try output(for: table)
        if isCSV {
            CSVWriter(schema: rows.schema).write(rows, to: output.buffer)
        } else {
            NDJSONWriter(schema: rows.schema).write(rows, to: output.buffer)
        }
        if output.buffer.count >= Self.bufferLimit { try drain(table.name) }
    }

    func flush() throws {
        for name in files.keys {
            try drain(name)
            if let file = files[name], fdatasync(file.descriptor) != 0 { throw Self.failure("cannot sync", file.path) }
        }
    }

    // MARK: Checkpoints

    /// Opens the files of a run's tables, which only one program may write at a time.
    func claim(_ claim: WriterClaim) throws -> WriterStanding {
        claimed = claim.tables
        for table in claimed { _ = try output(for: table) }
        return WriterStanding(epoch: claim.epoch)
    }

    func commit(_ mark: CheckpointMark) throws -> [String: [UInt8]] {
        try flush()
        return lengths
    }

    /// Of the claimed tables' files, 8 bytes each.
    private var lengths: [String: [UInt8]] {
        var lengths: [String: [UInt8]] = [:]
        for table in claimed {
            guard let file = files[table.name] else { continue }
            lengths[table.name] = withUnsafeBytes(of: UInt64(file.length).littleEndian) { Array($0) }
        }
        return lengths
    }

    func restore(_ states: [String: [UInt8]]) throws -> [String: [UInt8]] {
        // A new file gets its header first.
        try flush()
        for (name, state) in states {
            // A table that the domain no longer has is not touched.
            guard var file = files[name], state.count == MemoryLayout<UInt64>.size else { continue }
            let length = off_t(state.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
            guard file.length > length else {
                if file.length < length {
                    notify("\(file.path) is shorter than at the last checkpoint: others have shortened or replaced it")
                }
                continue
            }
            guard ftruncate(file.descriptor, length) == 0, fdatasync(file.descriptor) == 0 else {
                throw Self.failure("cannot shorten", file.path)
            }
            file.length = length
            files[name] = file
        }
        return lengths
    }

    func query(_ sql: String) -> QueryResult? { nil }
    func tables() -> [(name: String, rows: Int64)]? { nil }

    func health() -> ComponentHealth { ComponentHealth(version: "files", detail: folder) }

    func close() throws {
        defer { abandon() }
        try flush()
    }

    /// The locks go with the descriptors.
    func abandon() {
        for file in files.values { Glibc.close(file.descriptor) }
        files = [:]
    }

    private func output(for table: TableDefinition) throws -> Output {
        if let known = files[table.name] { return known }
        try checkWritable()
        try makeFolder()
        let path = path(of: table)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure("cannot open", path, exitCode: 3) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let isTaken = errno == EWOULDBLOCK
            let failure = Self.failure("cannot lock", path)
            Glibc.close(descriptor)
            guard isTaken else { throw failure }
            throw PipelineError(
                .fileBusy, "another program writes \(path)",
                hint: "end that one first: another `run` of this domain, perhaps with another checkpoint path",
                component: "sink file")
        }
        let file = Output(
            descriptor: descriptor, buffer: ByteBuffer(), path: path, length: lseek(descriptor, 0, SEEK_END))
        if isCSV, file.length == 0 { CSVWriter(schema: BatchSchema(table.columns)).writeHeader(to: file.buffer) }
        files[table.name] = file
        return file
    }

    private func drain(_ name: String) throws {
        guard var file = files[name], file.buffer.count > 0 else { return }
        var done = 0
        while done < file.buffer.count {
            let count = Glibc.write(file.descriptor, file.buffer.bytes + done, file.buffer.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                let failure = Self.failure("cannot write", file.path)
                // No half row stays behind.
                ftruncate(file.descriptor, file.length)
                throw failure
            }
            done += count
        }
        file.length += off_t(done)
        file.buffer.removeAll()
        files[name] = file
    }

    // MARK: Places

    var format: String { isCSV ? "csv" : "ndjson" }
    func path(of table: TableDefinition) -> String { "\(folder)/\(table.name).\(format)" }
    func sidecarPath(of table: TableDefinition) -> String { "\(folder)/\(table.name).streamplat.json" }
    func path(_ name: String) -> String { "\(folder)/\(name)" }

    func makeFolder() throws {
        var path = folder.hasPrefix("/") ? "" : "."
        for part in folder.split(separator: "/") {
            path += "/\(part)"
            if mkdir(path, 0o755) != 0, errno != EEXIST {
                throw Self.failure("cannot create the folder", path, exitCode: 3)
            }
        }
    }

    func checkWritable() throws {
        if access == .inspect {
            throw PipelineError(.sinkStorage, "the files were opened for reading only", component: "sink file")
        }
    }

    /// Ends writing to a table's file.
    func release(_ name: String) throws {
        try drain(name)
        if let file = files.removeValue(forKey: name) { Glibc.close(file.descriptor) }
    }

    /// A failure of the last system call.
    static func failure(_ what: String, _ path: String, exitCode: Int32 = 1) -> PipelineError {
        let reason = errno
        return PipelineError(
            .sinkStorage, "\(what) \(path): \(String(cString: strerror(reason)))",
            hint: reason == ENOSPC || reason == EFBIG
                ? "free some space; the file ends with a whole row"
                : "check who owns the folder, or choose another `path`",
            component: "sink file", exitCode: exitCode)
    }
}
