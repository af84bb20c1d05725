internal import DataPath
public import Diagnostics
public import PluginAPI

/// The sink `clickhouse`: result tables on a ClickHouse server, written over its HTTP interface.
public struct ClickHouseSinkPlugin: SinkPlugin {
    public static let spec = PluginSpec(
        kind: .sink, name: "clickhouse",
        summary: "Tables on a ClickHouse server (18.16 and newer), inserted in large batches over HTTP.",
        options: [
            OptionSpec(
                "urls", .strings, default: "http://localhost:8123",
                doc: "The HTTP interface of one server, or of several that hold the same data: when one does not "
                    + "answer, the next one is asked.",
                example: "[https://ch1.example.com:8443, https://ch2.example.com:8443]"),
            OptionSpec(
                "database", .string, default: "default", isPlace: true, doc: "The database that holds the tables."),
            OptionSpec(
                "create_database", .boolean, default: "true",
                doc: "Whether `streamplat apply` creates the database when it is not there."),
            OptionSpec("user", .string, default: "default", doc: "The user's name; it travels in a header."),
            OptionSpec(
                "password", .string, isSecret: true,
                doc: "The user's password; it travels in a header, never in a URL.",
                example: "$<secret:CLICKHOUSE_PASSWORD>"),
            OptionSpec(
                "ca_file", .path,
                doc: "A PEM file of the authorities that are trusted for https, instead of the system's."),
            OptionSpec("cert_file", .path, doc: "A PEM file of the certificate that this client shows."),
            OptionSpec(
                "key_file", .path, doc: "A PEM file of that certificate's key, if it is not in the same file."),
            OptionSpec(
                "timeout", .duration, default: "30 seconds", doc: "How long one request may take, with its answer."),
            OptionSpec(
                "compression", .choice(["gzip", "none"]), default: "gzip",
                doc: "How rows are packed on their way: gzip saves network, none saves processor time."),
            OptionSpec(
                "max_batch_rows", .integer(1...10_000_000), default: "100000",
                doc: "Rows of a table that are sent at the latest, even before a flush. A batch that comes from the "
                    + "pipeline is never split."),
            OptionSpec(
                "min_insert_interval", .duration, default: "250 ms",
                doc: "Flushes wait so that they come no more often than this: the server makes a part of each insert "
                    + "and refuses inserts when there are too many parts."),
        ])

    public static let nature = SinkNature.table

    public init() {}

    public func validate(_ options: OptionValues, into diagnostics: inout Diagnostics) {
        for finding in ClickHouseOptions.problems(of: options) { diagnostics.add(finding) }
    }

    public func open(_ options: OptionValues, _ context: PluginContext) throws -> any Sink {
        let options = ClickHouseOptions(options, context)
        let server = try ClickHouseConnection(options, notify: context.notify)
        let version = try server.connect()
        return ClickHouseSink(options, server, version, notify: context.notify)
    }
}
