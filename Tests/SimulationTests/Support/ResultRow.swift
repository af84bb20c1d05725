import DataPath
import PluginAPI

/// A row of a result table, as the stores keep it and as it is expected.
struct ResultRow: Hashable, Comparable, CustomStringConvertible {
    /// 0 in tables of single events.
    var start: Int64 = 0
    var end: Int64 = 0
    /// The groups; the event's id in tables of single events.
    var group: String
    /// The measures; the other columns in tables of single events.
    var values: String

    struct Key: Hashable {
        var start: Int64
        var end: Int64
        var group: String
    }

    var key: Key { Key(start: start, end: end, group: group) }
    var description: String { "[\(start - EventHistory.begin), \(end - EventHistory.begin)) \(group): \(values)" }

    static func < (one: ResultRow, other: ResultRow) -> Bool {
        (one.start, one.end, one.group, one.values) < (other.start, other.end, other.group, other.values)
    }

    static func rows(_ batch: RecordBatch, _ table: TableDefinition) -> [ResultRow] {
        (0..<batch.rowCount).map { row in
            func text(_ column: Int) -> String { Self.text(batch.columns[column], row) }
            if table.content == .rawEvents {
                let id = table.columns.firstIndex { $0.name == "event_id" } ?? 0
                let others = table.columns.indices.filter { $0 != id }
                return ResultRow(group: text(id), values: others.map(text).joined(separator: ","))
            }
            let firstMeasure = table.key.count
            return ResultRow(
                start: Int64(text(0)) ?? 0, end: Int64(text(1)) ?? 0,
                group: (2..<firstMeasure).map(text).joined(separator: ","),
                values: (firstMeasure..<table.columns.count).map(text).joined(separator: ","))
        }
    }

    private static func text(_ column: ColumnVector, _ row: Int) -> String {
        switch column {
        case .boolean(let values): values.nulls[row] ? "null" : "\(values.values[row])"
        case .int64(let values): values.nulls[row] ? "null" : "\(values.values[row])"
        case .int128(let values): values.nulls[row] ? "null" : "\(values.values[row])"
        case .double(let values): values.nulls[row] ? "null" : "\(values.values[row])"
        case .bytes(let values): values.nulls[row] ? "null" : String(decoding: values[row], as: UTF8.self)
        case .dictionary(let codes, let dictionary):
            codes.nulls[row] ? "null" : String(decoding: dictionary[codes.values[row]], as: UTF8.self)
        case .hash: "hash"
        }
    }
}
