import ConfigTree
import DataPath
import Diagnostics
import PluginAPI
import YAMLTree

/// What a control topic says: the newest record of each key.
struct ControlState: Equatable {
    /// Who may write the domain's topics.
    struct Writer: Equatable {
        var epoch: UInt64
        /// The run's name; empty after an `apply` that ended all runs.
        var writer: String
        var environment: String
        /// The run's newest transaction, which wrote this: so a run knows whether a commit came through whose answer it
        /// missed.
        var transaction: Int
    }

    var writer: Writer?
    /// The newest checkpoint whose rows are there.
    var checkpoint = CheckpointNumber.none
    var tables: [String: TableRecord] = [:]

    static let version = 1

    // MARK: Reading

    mutating func forget(_ key: String) {
        switch key {
        case Self.writerKey: writer = nil
        case Self.checkpointKey: checkpoint = .none
        default: tables[String(key.dropFirst(Self.tablePrefix.count))] = nil
        }
    }

    /// False when the value is not what its key says. Keys of later versions are passed over.
    mutating func take(_ key: String, _ value: UnsafeRawBufferPointer) -> Bool {
        // JSON is YAML: one parser is enough.
        var findings = Diagnostics()
        let tree = YAMLTree.parse(bytes: Array(value), file: key, layer: ConfigLayer("record"), into: &findings)
        guard let tree, tree.integer("version") == Self.version else { return false }
        switch key {
        case Self.writerKey:
            guard let epoch = tree.integer("epoch"), let name = tree.text("writer"),
                let environment = tree.text("environment"), let transaction = tree.integer("transaction")
            else { return false }
            writer = Writer(
                epoch: UInt64(clamping: epoch), writer: name, environment: environment, transaction: transaction)
        case Self.checkpointKey:
            guard let epoch = tree.integer("epoch"), let sequence = tree.integer("sequence") else { return false }
            checkpoint = CheckpointNumber(epoch: UInt64(clamping: epoch), sequence: UInt64(clamping: sequence))
        case let key where key.hasPrefix(Self.tablePrefix):
            guard let record = TableRecord(tree) else { return false }
            tables[String(key.dropFirst(Self.tablePrefix.count))] = record
        default: break
        }
        return true
    }

    // MARK: Writing

    private static let writerKey = "writer"
    private static let checkpointKey = "checkpoint"
    private static let tablePrefix = "table/"

    /// A record of the control topic.
    struct Record {
        var key: String
        var value: String

        fileprivate init(_ key: String, _ fields: [String: JSONValue]) {
            self.key = key
            value = JSONValue.object(fields.merging(["version": .integer(ControlState.version)]) { $1 })
                .text(compact: true)
        }
    }

    static func record(_ writer: Writer) -> Record {
        Record(
            writerKey,
            [
                "epoch": .integer(Int(clamping: writer.epoch)), "writer": .string(writer.writer),
                "environment": .string(writer.environment), "transaction": .integer(writer.transaction),
            ])
    }

    /// - Parameter positions: The checkpoint's offsets, as a JSON object.
    static func record(_ checkpoint: CheckpointNumber, positions: String) -> Record {
        Record(
            checkpointKey,
            [
                "epoch": .integer(Int(clamping: checkpoint.epoch)),
                "sequence": .integer(Int(clamping: checkpoint.sequence)), "positions": .string(positions),
            ])
    }

    static func record(_ table: TableRecord, of name: String) -> Record {
        Record("\(tablePrefix)\(name)", table.fields)
    }
}

extension ConfigNode {
    func text(_ key: String) -> String? { child(key)?.scalar?.text }
    func integer(_ key: String) -> Int? {
        if case .integer(let value)? = child(key)?.scalar?.coreType { Int(value) } else { nil }
    }
}
