internal import DataPath
internal import Diagnostics
public import PluginAPI
internal import SQLiteClient

/// The sink `sqlite`: result tables in one SQLite database file, upserted by key.
public struct SQLiteSinkPlugin: SinkPlugin {
    public static let spec = PluginSpec(
        kind: .sink, name: "sqlite",
        summary: "Tables in one SQLite database file: nothing to install, nothing to run.",
        options: [
            OptionSpec(
                "path", .path, default: ".streamplat/results.db", isPlace: true,
                doc: "The database file, relative to the project root; it is created with its folders.",
                example: "/var/lib/streamplat/results.db"),
            OptionSpec(
                "synchronous", .choice(["off", "normal", "full"]), default: "normal",
                doc:
                    "SQLite's durability against power loss. With normal, every checkpoint waits until its rows are on "
                    + "the disk, and a power cut loses only what the next run counts again; a crash of the program loses "
                    + "nothing. With off, a power cut can damage the file."),
            OptionSpec(
                "busy_timeout", .duration, default: "10 seconds",
                doc: "How long to wait while another program holds the database's write lock."),
        ])

    public static let nature = SinkNature.table
    public static let replacesInside = true

    public init() {}

    public func open(_ options: OptionValues, _ context: PluginContext) throws -> any Sink {
        let path = context.absolute(options.string("path") ?? ".streamplat/results.db")
        if context.access == .inspect { return SQLiteInspection(path: path) }
        return try SQLiteSink(
            path: path, synchronous: options.string("synchronous") ?? "normal",
            busyTimeoutMilliseconds: Int32(clamping: options.milliseconds("busy_timeout") ?? 10_000))
    }
}
