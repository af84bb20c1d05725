internal import DataPath
public import PluginAPI

extension Aggregation {
    /// The result table: `window_start`, `window_end`, group columns, measures. Key: the window and the groups; of sessions
    /// the groups first, because rows of one group are looked up to be replaced.
    public var table: TableDefinition {
        let window = [ColumnSpec("window_start", .timestamp), ColumnSpec("window_end", .timestamp)]
        let groups = zip(groupNames, spec.groups).map { ColumnSpec($0, $1.type, isNullable: $1.isNullable) }
        let measures = spec.measures.map { ColumnSpec($0.name, $0.resultType, isNullable: $0.isNullable) }
        let bounds = ["window_start", "window_end"]
        let isSession = spec.window.kind == .session
        var table = TableDefinition(
            name: name, content: .aggregation, columns: window + groups + measures,
            key: isSession ? groupNames + bounds : bounds + groupNames, location: location, fingerprint: fingerprint)
        table.replacesInside = isSession
        return table
    }
}

extension EventType {
    /// The table of raw events: the flattened columns, key `event_id`.
    public var rawTable: TableDefinition {
        var fingerprint = Fingerprint()
        fingerprint.add("raw")
        for column in columns { fingerprint.add("\(column.name) \(column.type) \(column.isNullable)") }
        return TableDefinition(
            name: name, content: .rawEvents, columns: columns, key: ["event_id"], location: location,
            fingerprint: fingerprint.text)
    }
}
