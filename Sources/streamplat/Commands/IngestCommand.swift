import ArgumentParser
import Diagnostics
import Foundation
import Ingest
import PlatformModel
import PluginAPI
import ProjectConfig
import StreamplatKit
import TerminalViews

struct IngestCommand: FormattedCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest", abstract: "Read a file of real events into their topic.",
        discussion: """
            NDJSON, CSV and Avro container files, gzipped or not. Bad records become dead letters and the rest goes on; the
            exit code is 1 if there was any, unless --allow-bad. A record without an event_id gets one from the file's name,
            its place and its bytes, so that a repeated ingest repeats ids.
            """)
    static let formats: [OutputFormat] = [.text, .json]
    static let formatHint: String? = "`--format csv` is the format of the file that is read"

    @Argument(help: "The event type.")
    var eventType: String

    @Argument(help: "The file; - for standard input.")
    var file: String

    @Option(name: .long, help: "The domain: its name or the path of its file; else default_domain.")
    var domain: String?

    @Option(
        name: .long, help: "ndjson, csv or avro; else by the file's name and first bytes.",
        transform: { text in
            guard let format = IngestFormat(rawValue: text) else {
                throw ValidationError("--format takes ndjson, csv or avro, not '\(text)'.")
            }
            return format
        })
    var format: IngestFormat?

    @Option(name: .long, help: "column=field: a column of the file becomes a field. Repeatable.")
    var map: [String] = []

    @Option(name: .long, help: "Names of the columns of a file without a header: a,b,c.")
    var columns: String?

    @Flag(name: .customLong("no-header"), help: "The CSV file has no header.")
    var noHeader = false

    @Option(name: .long, help: "One character, `tab`, or `whitespace` for runs of blanks.")
    var delimiter: String?

    @Option(
        name: .customLong("timestamp-format"), help: "iso8601, epoch_s, epoch_ms, epoch_us, or like %Y-%m-%d %H:%M:%S.")
    var timestampFormat: String?

    @Option(name: .long, help: "The zone of timestamps that name none: UTC, +02:00, Europe/Berlin.")
    var timezone: String?

    @Flag(name: .customLong("allow-bad"), help: "Exit 0 even if records were bad.")
    var allowBad = false

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let system = try global.open(domain: domain)
        guard let definition = system.domain.eventType(eventType) else {
            throw DiagnosticsError(
                Diagnostic(
                    .invalidValue, "domain '\(system.domain.name)' has no event type '\(eventType)'",
                    hint: nearestName(to: eventType, among: system.domain.eventTypes.map(\.name))
                        .map { "did you mean '\($0)'?" }
                        ?? "it has \(system.domain.eventTypes.map(\.name).joined(separator: ", "))"))
        }
        let job = IngestJob(
            eventType: definition, options: try options(), broker: system.broker,
            schemas: system.schemas,
            topicPrefix: system.project.platform.topicPrefix)
        let line = ProgressLine(
            doing: "ingesting", done: "ingested", unit: "records", total: nil, start: .now, isQuiet: global.quiet)
        let result: IngestJob.Result
        do {
            result = try job.run(IngestSource(path: file)) { line.update($0, at: .now) }
        } catch {
            line.erase()
            throw error
        }
        line.finish(result.summary.records, at: .now)
        try system.close()
        try show(result, topic: definition.topic.name, prefix: system.project.platform.topicPrefix)
    }

    private func options() throws -> IngestOptions {
        var options = IngestOptions()
        options.format = format
        options.mappings = try map.map { text in
            guard let equals = text.firstIndex(of: "=") else {
                throw ValidationError("--map takes column=field, not '\(text)'.")
            }
            return IngestOptions.Mapping(
                column: String(text[..<equals]), field: String(text[text.index(after: equals)...]))
        }
        options.columns = columns?.split(separator: ",").map(String.init)
        options.hasHeader = !noHeader
        switch delimiter {
        case nil: break
        case "whitespace": options.delimiter = .whitespace
        case "tab", "\\t": options.delimiter = .character(UInt8(ascii: "\t"))
        case let text?:
            guard text.utf8.count == 1, let byte = text.utf8.first else {
                throw ValidationError("--delimiter takes one character, `tab` or `whitespace`, not '\(text)'.")
            }
            options.delimiter = .character(byte)
        }
        options.timestampFormat = timestampFormat
        if let timezone { options.timezone = timezone }
        return options
    }

    private func show(_ result: IngestJob.Result, topic: String, prefix: String) throws {
        let summary = result.summary
        for bad in result.firstBad {
            let place = bad.line > 0 ? "\(bad.file):\(bad.line):\(bad.column)" : bad.file
            Failure.print("\(place): bad record[\(bad.code.id)]: \(bad.field.map { "\($0): " } ?? "")\(bad.reason)")
        }
        if summary.bad > result.firstBad.count {
            Failure.print("... and \(NumberText.grouped(summary.bad - result.firstBad.count)) more bad records")
        }
        if global.output == .json {
            print(
                JSONValue.object([
                    "records": .integer(summary.records), "good": .integer(summary.good), "bad": .integer(summary.bad),
                    "ignored_columns": .array(summary.ignoredColumns.map { .string($0) }),
                ]).text())
        } else {
            global.say(
                "\(NumberText.grouped(summary.good)) records into \(topic), \(NumberText.grouped(summary.bad)) bad"
                    + (summary.bad > 0 ? " (kept in \(DeadLetter.topic(prefix: prefix)))" : ""))
            if !summary.ignoredColumns.isEmpty {
                global.say("ignored columns: \(summary.ignoredColumns.joined(separator: ", "))")
            }
        }
        if summary.bad > 0, !allowBad { throw ExitCode(1) }
    }
}
