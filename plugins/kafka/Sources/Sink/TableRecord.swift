import ConfigTree
import DataPath
import Diagnostics
import PluginAPI

/// What the control topic says about a table's topic: what its records mean.
struct TableRecord: Equatable {
    struct Column: Equatable {
        var name: String
        var type: String
        var isNullable: Bool
    }

    /// Empty while the topic is being made or emptied.
    var fingerprint: String
    var key: [String]
    var columns: [Column]

    init(_ table: TableDefinition) {
        fingerprint = table.fingerprint
        key = table.key
        columns = table.columns.map { Column(name: $0.name, type: Self.text($0.type), isNullable: $0.isNullable) }
    }

    /// The topic does not yet hold what the record says.
    var unfinished: TableRecord {
        var record = self
        record.fingerprint = ""
        return record
    }

    init?(_ tree: ConfigNode) {
        guard let fingerprint = tree.text("fingerprint"), let key = tree.child("key")?.sequence,
            let columns = tree.child("columns")?.sequence
        else { return nil }
        self.fingerprint = fingerprint
        self.key = key.compactMap { $0.scalar?.text }
        self.columns = []
        for column in columns {
            guard let name = column.text("name"), let type = column.text("type"),
                case .boolean(let isNullable)? = column.child("nullable")?.scalar?.coreType
            else { return nil }
            self.columns.append(Column(name: name, type: type, isNullable: isNullable))
        }
    }

    var fields: [String: JSONValue] {
        [
            "fingerprint": .string(fingerprint), "key": .array(key.map { .string($0) }),
            "columns": .array(
                columns.map {
                    .object(["name": .string($0.name), "type": .string($0.type), "nullable": .boolean($0.isNullable)])
                }),
        ]
    }

    /// Lines for a plan: how the records will differ from those of `old`.
    func differences(from old: TableRecord) -> [String] {
        var lines: [String] = []
        if key != old.key {
            lines.append("key (\(old.key.joined(separator: ", "))) → (\(key.joined(separator: ", ")))")
        }
        for column in columns {
            guard let before = old.columns.first(where: { $0.name == column.name }) else {
                lines.append("add \(column.name) \(column.type)")
                continue
            }
            if before.type != column.type { lines.append("\(column.name) \(before.type) → \(column.type)") }
        }
        for column in old.columns where !columns.contains(where: { $0.name == column.name }) {
            lines.append("drop \(column.name)")
        }
        return lines
    }

    private static func text(_ type: LogicalType) -> String {
        if case .decimal(let precision, let scale) = type { return "decimal(\(precision),\(scale))" }
        return "\(type)"
    }
}
