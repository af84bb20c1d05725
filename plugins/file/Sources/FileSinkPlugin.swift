public import PluginAPI

/// The sink `file`: one NDJSON or CSV file a table.
public struct FileSinkPlugin: SinkPlugin {
    public static let spec = PluginSpec(
        kind: .sink, name: "file",
        summary: "One NDJSON or CSV file for each table; rows are appended.",
        options: [
            OptionSpec(
                "path", .path, default: ".streamplat/results", isPlace: true,
                doc: "The folder of the files, relative to the project root; `apply` creates it."),
            OptionSpec("format", .choice(FileSink.formats), default: "ndjson", doc: "How rows are written."),
        ])

    public static let nature = SinkNature.append

    public init() {}

    public func open(_ options: OptionValues, _ context: PluginContext) throws -> any Sink {
        FileSink(
            folder: context.absolute(options.string("path") ?? ".streamplat/results"),
            isCSV: options.string("format") == "csv", access: context.access, notify: context.notify)
    }
}
