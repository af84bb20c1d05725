internal import DataPath
public import PluginAPI

extension Aggregation {
    /// The result table: `window_start`, `window_end`, group columns, measures. Key: the window and the groups.
    public var table: TableDefinition {
        let window = [ColumnSpec("window_start", .timestamp), ColumnSpec("window_end", .timestamp)]
        let groups = zip(groupNames, spec.groups).map { ColumnSpec($0, $1.type, isNullable: $1.isNullable) }
        let measures = spec.measures.map { ColumnSpec($0.name, $0.resultType, isNullable: $0.isNullable) }
        return TableDefinition(
            name: name, content: .aggregation, columns: window + groups + measures,
            key: ["window_start", "window_end"] + groupNames, location: location, fingerprint: fingerprint)
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
