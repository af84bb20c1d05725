import PluginAPI

/// Like a database with transactions: rows are replaced by key, and stand beside the number of their checkpoint and the
/// epoch of the run that may write.
final class TransactionalStore {
    var tables: [String: [ResultRow.Key: ResultRow]] = [:]
    var epoch: UInt64 = 0
    var writer = ""
    var checkpoint = CheckpointNumber.none

    func put(_ row: ResultRow, in table: TableDefinition) {
        if table.replacesInside {
            let inside = tables[table.name, default: [:]].values.filter {
                $0.group == row.group && $0.start >= row.start && $0.end <= row.end
            }
            for old in inside { tables[table.name]?[old.key] = nil }
        }
        tables[table.name, default: [:]][row.key] = row
    }

    func rows(_ table: String) -> [ResultRow] { tables[table, default: [:]].values.sorted() }
}

/// Like ClickHouse: no transactions; of the rows with one key the one with the highest version counts.
final class VersionedStore {
    struct Version: Comparable {
        var epoch: UInt64
        var number: Int

        static func < (one: Version, other: Version) -> Bool {
            (one.epoch, one.number) < (other.epoch, other.number)
        }
    }

    private var tables: [String: [ResultRow.Key: (version: Version, row: ResultRow)]] = [:]
    var epoch: UInt64 = 0
    var writer = ""

    func put(_ row: ResultRow, _ version: Version, in table: String) {
        if let old = tables[table]?[row.key], old.version > version { return }
        tables[table, default: [:]][row.key] = (version, row)
    }

    func rows(_ table: String) -> [ResultRow] { tables[table, default: [:]].values.map(\.row).sorted() }
}

/// Like a file: rows are only added, and a run cuts it back to where its checkpoint saw it.
final class AppendStore {
    var tables: [String: [ResultRow]] = [:]

    func rows(_ table: String) -> [ResultRow] { tables[table, default: []].sorted() }
}
