internal import DataPath
internal import Diagnostics
internal import Glibc
public import PluginAPI

/// The sink `console`: result rows on standard output, one JSON object a line, with the table's name in front.
public struct ConsoleSinkPlugin: SinkPlugin {
    public static let spec = PluginSpec(
        kind: .sink, name: "console",
        summary: "Rows on standard output, for looking and piping.",
        options: [
            OptionSpec(
                "format", .choice(["json", "csv"]), default: "json",
                doc: "json: one object a line with the key `table` first; csv: the table's name, then the cells.")
        ])

    public static let nature = SinkNature.append

    public init() {}

    public func open(_ options: OptionValues, _ context: PluginContext) throws -> any Sink {
        ConsoleSink(isJSON: options.string("format") != "csv")
    }
}

private final class ConsoleSink: Sink {
    private let isJSON: Bool
    private let buffer = ByteBuffer()
    private let row = ByteBuffer()

    private static let bufferLimit = 1 << 20

    init(isJSON: Bool) { self.isJSON = isJSON }

    func plan(_ table: TableDefinition) -> TableChange { .none }
    func apply(_ table: TableDefinition) {}

    func write(_ rows: RecordBatch, to table: TableDefinition) throws {
        let json = NDJSONWriter(schema: rows.schema)
        let csv = CSVWriter(schema: rows.schema)
        for index in 0..<rows.rowCount {
            row.removeAll()
            if isJSON {
                json.write(rows, rows: index..<index + 1, to: row)
                buffer.append("{\"table\":\"\(table.name)\",")
                // The row's own opening brace gives way to the table's.
                buffer.append(UnsafeRawBufferPointer(rebasing: row.contents.dropFirst()))
            } else {
                csv.write(rows, rows: index..<index + 1, to: row)
                buffer.append("\(table.name),")
                buffer.append(row.contents)
            }
            // While more rows wait nobody flushes: a slow reader must hold the pipeline up, not fill the memory.
            if buffer.count >= Self.bufferLimit { try flush() }
        }
    }

    func flush() throws {
        var done = 0
        while done < buffer.count {
            let count = Glibc.write(STDOUT_FILENO, buffer.bytes + done, buffer.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                throw PipelineError(
                    .sinkStorage, "cannot write to standard output: \(String(cString: strerror(errno)))",
                    component: "console")
            }
            done += count
        }
        buffer.removeAll()
    }

    func query(_ sql: String) -> QueryResult? { nil }
    func tables() -> [(name: String, rows: Int64)]? { nil }
    func health() -> ComponentHealth { ComponentHealth(version: "console") }

    func close() throws {
        defer { abandon() }
        try flush()
    }

    func abandon() { buffer.removeAll() }
}
