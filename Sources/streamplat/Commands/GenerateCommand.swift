import ArgumentParser
import Diagnostics
import Foundation
import Generation
import PlatformModel
import PluginAPI
import ProjectConfig
import StreamRuntime
import StreamplatKit
import TerminalViews

struct GenerateCommand: FormattedCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Make synthetic events and send them to their topics, or to a file.",
        discussion: """
            The same seed, start and span give the same events, at any speed. Without --start the events end about now.
            """)
    static let formats: [OutputFormat] = [.text, .json]
    static let formatHint: String? = "`--out FILE.csv` writes the events themselves as CSV"

    @OptionGroup var domain: DomainArgument

    @Option(name: [.customShort("n"), .long], help: "How many events.")
    var events: Int?

    @Option(name: [.customShort("t"), .customLong("event-type")], help: "Only this event type. Repeatable.")
    var eventTypes: [String] = []

    @Option(name: .long, help: "Events per second; else as fast as can be.")
    var rate: Double?

    @Option(name: .long, help: "How long to generate at --rate, such as 10m.")
    var duration: DurationArgument?

    @Option(name: .long, help: "The seed; else the domain's.")
    var seed: UInt64?

    @Option(
        name: .long, help: "The first event time: 2026-11-20, 2026-11-20T08:00:00Z or milliseconds since the epoch.")
    var start: InstantArgument?

    @Option(name: .long, help: "The span of event time that the events are spread over, such as 2h.")
    var span: DurationArgument?

    @Option(name: .long, help: "Write a file instead: .ndjson, .csv or .avro.")
    var out: String?

    @Flag(name: .customLong("dry-run"), help: "Make the events and send them nowhere.")
    var dryRun = false

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if let events, events < 1 { throw ValidationError("--events takes 1 or more.") }
        if let rate, !(rate > 0) { throw ValidationError("--rate takes a number above 0.") }
        if dryRun, out != nil { throw ValidationError("--dry-run and --out exclude each other.") }
    }

    func run() throws {
        let project = try global.load(domain: domain.name)
        let definition = try project.requireDomain()
        let unknown = eventTypes.filter { definition.eventType($0) == nil }
        guard unknown.isEmpty else {
            var diagnostics = Diagnostics()
            for name in unknown {
                diagnostics.error(
                    .invalidValue, "domain '\(definition.name)' has no event type '\(name)'", at: nil,
                    hint: nearestName(to: name, among: definition.eventTypes.map(\.name)).map {
                        "did you mean '\($0)'?"
                    }
                        ?? "it has \(definition.eventTypes.map(\.name).joined(separator: ", "))")
            }
            throw DiagnosticsError(diagnostics: diagnostics)
        }
        let options = GenerationOptions(
            events: events, eventTypes: eventTypes.isEmpty ? nil : eventTypes, rate: rate,
            durationMilliseconds: duration?.milliseconds, seed: seed, startMilliseconds: start?.milliseconds,
            spanMilliseconds: span?.milliseconds, nowMilliseconds: Int64(Date().timeIntervalSince1970 * 1000))

        var system: LiveSystem?
        var endpoint: MonitoringEndpoint?
        let target: GenerationTarget
        if dryRun {
            target = .nothing
        } else if let out {
            target = .file(out)
        } else {
            let readiness = Readiness()
            do {
                endpoint = try MonitoringEndpoint.start(project.platform.monitoring, readiness: readiness)
            } catch let error as PipelineError where error.code == .monitoringPort {
                // The port is usually that of a `run` beside it, which matters more.
                Log.write(.warning, "no metrics of this command: \(error.message)")
            }
            let opened = try LiveSystem(project, domain: definition, access: .change, notify: global.notify)
            system = opened
            readiness.release(Readiness.process)
            target = .broker(opened.broker, schemas: opened.schemas, topicPrefix: project.platform.topicPrefix)
        }
        let job = try GenerationJob(domain: definition, options: options, target: target)
        let line = ProgressLine(
            doing: "generating", done: "generated", total: job.totalEvents, start: .now, isQuiet: global.quiet)
        let signals = SignalWatch()
        let summary: GenerationSummary
        do {
            summary = try job.run(progress: { line.update($0, at: .now) }, shouldStop: { signals.count > 0 })
        } catch {
            line.erase()
            throw error
        }
        line.finish(summary.events, at: .now)
        try system?.close()
        try endpoint?.stop()
        if signals.count > 0 {
            let wanted = job.totalEvents.map { " of \(NumberText.grouped($0))" } ?? ""
            Log.write(.warning, "interrupted after \(NumberText.grouped(summary.events))\(wanted) events")
        }
        show(summary)
    }

    private func show(_ summary: GenerationSummary) {
        if global.output == .json {
            let time = { (milliseconds: Int64?) in
                milliseconds.map { JSONValue.string(NumberText.utc(milliseconds: $0)) } ?? .null
            }
            return print(
                JSONValue.object([
                    "events": .integer(summary.events), "sessions": .integer(summary.sessions),
                    "first_event_time": time(summary.firstEventTime), "last_event_time": time(summary.lastEventTime),
                    "event_types": .object(
                        Dictionary(uniqueKeysWithValues: summary.eventsByType.map { ($0.name, .integer($0.count)) })),
                ]).text())
        }
        for entry in summary.eventsByType where entry.count > 0 {
            global.say("  \(entry.name): \(NumberText.grouped(entry.count))")
        }
        if let first = summary.firstEventTime, let last = summary.lastEventTime {
            global.say("  event time \(NumberText.utc(milliseconds: first)) to \(NumberText.utc(milliseconds: last))")
        }
    }
}
