internal import ConfigTree
internal import DataPath
internal import Diagnostics
internal import Glibc
internal import PluginAPI
internal import YAMLTree

/// What stands beside a table's file, in `<table>.streamplat.json`: whose it is and what its rows mean.
struct FileSidecar: Equatable {
    struct Column: Equatable {
        var name: String
        var type: String
        var isNullable: Bool
    }

    var domain: String
    var fingerprint: String
    /// `ndjson` or `csv`: also the ending of the table's file.
    var format: String
    var columns: [Column]

    private static let version = 1
    private static let byteLimit = 1 << 20

    init(_ table: TableDefinition, format: String) {
        domain = table.owner
        fingerprint = table.fingerprint
        self.format = format
        columns = table.columns.map { Column(name: $0.name, type: Self.text($0.type), isNullable: $0.isNullable) }
    }

    // MARK: Reading and writing

    enum Content {
        case missing
        case sidecar(FileSidecar)
        /// It is there and is not what a sidecar looks like.
        case unreadable(String)
    }

    static func read(_ path: String) -> Content {
        let bytes: [UInt8]
        do throws(FileReadError) {
            bytes = try FileBytes(path: path, byteLimit: byteLimit).bytes
        } catch {
            if case .notFound = error { return .missing }
            return .unreadable("\(error)")
        }
        // JSON is YAML: one parser is enough.
        var findings = Diagnostics()
        let tree = YAMLTree.parse(bytes: bytes, file: path, layer: ConfigLayer("sidecar"), into: &findings)
        guard let tree, let sidecar = FileSidecar(tree) else {
            return .unreadable("it does not describe a table's file")
        }
        return .sidecar(sidecar)
    }

    private init?(_ tree: ConfigNode) {
        func text(_ node: ConfigNode, _ key: String) -> String? { node.child(key)?.scalar?.text }
        guard case .integer(Self.version)? = tree.child("version")?.scalar?.coreType,
            let domain = text(tree, "domain"), let fingerprint = text(tree, "fingerprint"),
            let format = text(tree, "format"), FileSink.formats.contains(format),
            let columns = tree.child("columns")?.sequence
        else { return nil }
        self.domain = domain
        self.fingerprint = fingerprint
        self.format = format
        self.columns = []
        for column in columns {
            guard let name = text(column, "name"), let type = text(column, "type"),
                case .boolean(let isNullable)? = column.child("nullable")?.scalar?.coreType
            else { return nil }
            self.columns.append(Column(name: name, type: type, isNullable: isNullable))
        }
    }

    /// The file's contents.
    var json: String {
        JSONValue.object([
            "version": .integer(Self.version), "domain": .string(domain), "fingerprint": .string(fingerprint),
            "format": .string(format),
            "columns": .array(
                columns.map {
                    .object(["name": .string($0.name), "type": .string($0.type), "nullable": .boolean($0.isNullable)])
                }),
        ]).text() + "\n"
    }

    /// Lines for a plan: how the rows will differ from those of `old`.
    func differences(from old: FileSidecar) -> [String] {
        var lines: [String] = []
        if format != old.format { lines.append("write \(format) instead of \(old.format)") }
        for column in columns {
            if let before = old.columns.first(where: { $0.name == column.name }) {
                if before.type != column.type { lines.append("column \(column.name) \(before.type) → \(column.type)") }
            } else {
                lines.append("add column \(column.name) \(column.type)")
            }
        }
        for column in old.columns where !columns.contains(where: { $0.name == column.name }) {
            lines.append("drop column \(column.name)")
        }
        return lines
    }

    private static func text(_ type: LogicalType) -> String {
        switch type {
        case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
        case .boolean: "boolean"
        case .int: "int"
        case .long: "long"
        case .float: "float"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .date: "date"
        case .timestamp: "timestamp"
        case .uuid: "uuid"
        case .json: "json"
        }
    }
}
