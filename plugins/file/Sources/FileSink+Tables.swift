internal import DataPath
internal import Diagnostics
internal import Glibc
internal import PluginAPI

/// Planning and making the files of tables.
extension FileSink {
    func plan(_ table: TableDefinition) throws -> TableChange {
        let path = path(of: table)
        let sidecarPath = sidecarPath(of: table)
        switch FileSidecar.read(sidecarPath) {
        case .missing where !isThere(path): return .create
        case .missing:
            return .refuse(
                reason:
                    "\(path) is there, and no \(table.name).streamplat.json beside it says that streamplat wrote it",
                hint: "move the file away, or rename the aggregation")
        case .unreadable(let reason):
            return .refuse(
                reason: "\(sidecarPath) says nothing about \(table.name): \(reason)",
                hint: "put it back from a copy, or move it and the table's file away")
        case .sidecar(let found):
            guard found.domain == table.owner else {
                return .refuse(
                    reason: "\(path) belongs to domain '\(found.domain)'",
                    hint: "rename the aggregation, or give this domain a sink with a `path` of its own")
            }
            let wanted = FileSidecar(table, format: format)
            guard found == wanted else {
                let keep = keptNames(of: table, found).map { ["keep \($0.old) as \($0.new)"] } ?? []
                return .rebuild(wanted.differences(from: found) + keep)
            }
            return try headerFault(of: table) ?? .none
        }
    }

    func apply(_ table: TableDefinition) throws {
        try checkWritable()
        switch try plan(table) {
        case .none, .alter, .refuse: return
        case .create, .rebuild: break
        }
        try begin(table)
    }

    /// The rows that are there are kept under another name.
    func clear(_ table: TableDefinition) throws {
        try checkWritable()
        if case .refuse(let reason, let hint) = try plan(table) {
            throw PipelineError(.tableRefused, reason, hint: hint, component: "sink file")
        }
        try begin(table)
    }

    /// Puts an empty file in the place of the table's.
    private func begin(_ table: TableDefinition) throws {
        try release(table.name)
        try makeFolder()
        // In this order a crash in between leaves what the next plan takes for unfinished, never rows of two meanings in
        // one file: the old rows go first, and the new ones can only begin when the sidecar speaks of them.
        if case .sidecar(let found) = FileSidecar.read(sidecarPath(of: table)),
            let names = keptNames(of: table, found)
        {
            guard rename(self.path(names.old), self.path(names.new)) == 0 else {
                throw Self.failure("cannot rename", self.path(names.old))
            }
        }
        try replace(sidecarPath(of: table), with: Array(FileSidecar(table, format: format).json.utf8))
        let header = ByteBuffer()
        if isCSVFormat { CSVWriter(schema: BatchSchema(table.columns)).writeHeader(to: header) }
        try replace(path(of: table), with: Array(header.contents))
    }

    private var isCSVFormat: Bool { format == "csv" }

    private func isThere(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Under which name the rows of another meaning are kept: the first number that is free. Nil when there is no file.
    private func keptNames(of table: TableDefinition, _ sidecar: FileSidecar) -> (old: String, new: String)? {
        let old = "\(table.name).\(sidecar.format)"
        guard isThere(path(old)) else { return nil }
        var number = 1
        while isThere(path("\(table.name).\(number).\(sidecar.format)")) { number += 1 }
        return (old, "\(table.name).\(number).\(sidecar.format)")
    }

    /// A refusal when the file's first line is not the header that its rows would be read by.
    private func headerFault(of table: TableDefinition) throws -> TableChange? {
        guard isCSVFormat, let header = try firstLine(of: path(of: table)) else { return nil }
        let buffer = ByteBuffer()
        CSVWriter(schema: BatchSchema(table.columns)).writeHeader(to: buffer)
        let wanted = String(buffer.string.prefix { $0 != "\r\n" && $0 != "\n" })
        if header == wanted { return nil }
        return .refuse(
            reason: "\(path(of: table)) begins with '\(header)' instead of '\(wanted)'",
            hint: "put its first line right, or move the file away")
    }

    /// Nil when there is no file, or an empty one.
    private func firstLine(of path: String) throws -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Self.failure("cannot read", path, exitCode: 3)
        }
        defer { Glibc.close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(descriptor, &bytes, bytes.count)
        if count < 0 { throw Self.failure("cannot read", path, exitCode: 3) }
        guard count > 0 else { return nil }
        let line = bytes[..<count].prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        return String(decoding: line, as: UTF8.self)
    }

    /// Puts a small file into place, whole and durable.
    private func replace(_ path: String, with bytes: [UInt8]) throws {
        let temporary = "\(path).part"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure("cannot create", temporary, exitCode: 3) }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                bytes.baseAddress.map { Glibc.write(descriptor, $0 + done, bytes.count - done) } ?? 0
            }
            if count < 0 {
                if errno == EINTR { continue }
                let failure = Self.failure("cannot write", temporary)
                Glibc.close(descriptor)
                unlink(temporary)
                throw failure
            }
            done += count
        }
        let isWhole = fsync(descriptor) == 0
        guard Glibc.close(descriptor) == 0, isWhole, rename(temporary, path) == 0 else {
            throw Self.failure("cannot finish", path)
        }
        try synchronizeFolder()
    }

    private func synchronizeFolder() throws {
        let descriptor = open(path("."), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure("cannot open", path(".")) }
        defer { Glibc.close(descriptor) }
        // Some file systems cannot do it for a folder and say EINVAL; there is nothing more to be done there.
        if fsync(descriptor) != 0, errno != EINVAL { throw Self.failure("cannot sync", path(".")) }
    }
}
