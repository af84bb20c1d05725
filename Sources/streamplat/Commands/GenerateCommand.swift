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
            The same seed, start and span give the same events, at any speed. Without --start the events end about now;
            they begin an hour before, or where the topics' newest record left off.
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

    @Option(
        name: .long, help: "How long to generate, such as 10m, at --rate or else the domain's events_per_second.")
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
        if events != nil, duration != nil {
            throw ValidationError(
                "--events and --duration exclude each other: with --rate each follows from the other.")
        }
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
        var options = GenerationOptions(
            events: events, eventTypes: eventTypes.isEmpty ? nil : eventTypes, rate: rate,
            durationMilliseconds: duration?.milliseconds, seed: seed, startMilliseconds: start?.milliseconds,
            spanMilliseconds: span?.milliseconds, nowMilliseconds: Int64(Date().timeIntervalSince1970 * 1000))

        var system: LiveSystem?
        var endpoint: MonitoringEndpoint?
        var newest: Int64?
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
            newest = try opened.newestRecord()
            if let newest, options.choosesStart(definition) { options.goOn(after: newest) }
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
        show(summary)
        if let newest, let first = summary.firstEventTime, first < newest {
            Log.write(
                .warning,
                "the topics already held events up to \(NumberText.utc(milliseconds: newest)): a run that has read them "
                    + "counts earlier ones as late where their windows are closed (without --start and --span "
                    + "`generate` goes on after them)")
        }
        warnOfFuture(summary, skew: project.platform.runtime.maxFutureSkewMilliseconds)
        // Without a total the signal is how it ends.
        guard let total = job.totalEvents, summary.events < total else { return }
        Log.write(
            .warning,
            "interrupted after \(NumberText.grouped(summary.events)) of \(NumberText.grouped(total)) events"
                + (job.partFile.map { "; they stand in \($0)" } ?? ""))
        // What went to topics is there; the file that was asked for is not.
        if job.partFile != nil { throw ExitCode(1) }
    }

    /// What `run` would refuse is said before it does.
    private func warnOfFuture(_ summary: GenerationSummary, skew: Int64) {
        guard out == nil, !dryRun, let last = summary.lastEventTime,
            last - Int64(Date().timeIntervalSince1970 * 1000) > skew
        else { return }
        Log.write(
            .warning,
            "event times reach \(NumberText.utc(milliseconds: last)), further ahead of now than "
                + "runtime.max_future_skew: `run` will send such events to the dead letters")
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
