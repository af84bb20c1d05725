internal import DataPath
internal import Diagnostics
internal import Glibc
internal import PluginAPI

/// A folder with one file a table. Rows are appended; ``flush()`` makes them durable. Threads: one.
final class FileSink: Sink {
    private let folder: String
    private let isCSV: Bool
    private var files: [String: Output] = [:]

    private struct Output {
        var descriptor: Int32
        var buffer: ByteBuffer
        var path: String
        /// Bytes of whole rows that are in the file: a failed write is cut back to them.
        var length: off_t
    }

    private static let bufferLimit = 1 << 20

    init(folder: String, isCSV: Bool) throws {
        self.folder = folder
        self.isCSV = isCSV
        var path = folder.hasPrefix("/") ? "" : "."
        for part in folder.split(separator: "/") {
            path += "/\(part)"
            if mkdir(path, 0o755) != 0, errno != EEXIST {
                throw Self.failure("cannot create the folder", path, exitCode: 3)
            }
        }
    }

    func plan(_ table: TableDefinition) throws -> TableChange {
        guard isCSV, let header = try existingHeader(table) else {
            return access(path(of: table), F_OK) == 0 ? .none : .create
        }
        let wanted = self.header(of: table)
        guard header == wanted else {
            return .refuse(
                reason: "\(path(of: table)) has the columns \(header)",
                hint: "move the file away, or rename the aggregation; its columns would be \(wanted)")
        }
        return .none
    }

    func apply(_ table: TableDefinition) throws { _ = try output(for: table) }

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

    func query(_ sql: String) -> QueryResult? { nil }
    func tables() -> [(name: String, rows: Int64)]? { nil }

    func health() -> ComponentHealth { ComponentHealth(version: "files", detail: folder) }

    func close() throws {
        try flush()
        for file in files.values { Glibc.close(file.descriptor) }
        files = [:]
    }

    private func path(of table: TableDefinition) -> String { "\(folder)/\(table.name).\(isCSV ? "csv" : "ndjson")" }

    private func header(of table: TableDefinition) -> String {
        let buffer = ByteBuffer()
        CSVWriter(schema: BatchSchema(table.columns)).writeHeader(to: buffer)
        return String(buffer.string.prefix { $0 != "\r\n" && $0 != "\n" })
    }

    private func existingHeader(_ table: TableDefinition) throws -> String? {
        let descriptor = open(path(of: table), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Self.failure("cannot read", path(of: table), exitCode: 3)
        }
        defer { Glibc.close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return nil }
        let line = bytes[..<count].prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        return String(decoding: line, as: UTF8.self)
    }

    private func output(for table: TableDefinition) throws -> Output {
        if let known = files[table.name] { return known }
        let path = path(of: table)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure("cannot open", path, exitCode: 3) }
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

    private static func failure(_ what: String, _ path: String, exitCode: Int32 = 1) -> PipelineError {
        let reason = errno
        return PipelineError(
            .sinkStorage, "\(what) \(path): \(String(cString: strerror(reason)))",
            hint: reason == ENOSPC || reason == EFBIG
                ? "free some space; the file ends with a whole row"
                : "check who owns the folder, or choose another `path`",
            component: "sink file", exitCode: exitCode)
    }
}
