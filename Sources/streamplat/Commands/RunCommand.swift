import ArgumentParser
import Diagnostics
import Foundation
import Glibc
import InputFiles
import PlatformModel
import PluginAPI
import ProjectConfig
import StreamRuntime
import StreamplatKit
import Synchronization
import TerminalViews

struct RunCommand: FormattedCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run the pipeline: topics → windowed aggregations → sinks.",
        discussion: """
            SIGINT and SIGTERM drain and end with 0; a second one ends at once. A later run goes on where this one stopped.
            SIGHUP, or --watch, takes over a changed configuration without a restart; one with errors is reported, and the
            run goes on with the one before. With --until-idle nothing is taken over.
            --input reads files in the place of topics, as `ingest` and a run would: what the checkpoint says of the topics
            stays, and a file that was counted is not counted again.
            """)
    static let formats: [OutputFormat] = [.text, .json]
    static let formatHint: String? = "`streamplat query --output csv` prints result rows"

    @OptionGroup var domain: DomainArgument

    @Flag(name: .customLong("until-idle"), help: "End when every partition is read to its end.")
    var untilIdle = false

    @Flag(
        name: .customLong("close-windows"),
        help: "At the end also emit the windows that are still open; their state is kept.")
    var closeWindows = false

    @Option(name: .long, help: "Worker threads; else one a core.")
    var workers: Int?

    @Option(name: .customLong("batch-rows"), help: "Rows of a batch.")
    var batchRows: Int?

    @Flag(name: .customLong("from-earliest"), help: "Count everything anew from the earliest offset.")
    var fromEarliest = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Read an event type from an NDJSON or Avro container file, and only those that are given so. Repeatable.",
            valueName: "event=file"))
    var input: [String] = []

    @Flag(name: .long, help: "Take over a changed configuration when its files change, without a SIGHUP.")
    var watch = false

    @Flag(
        name: .long,
        help: "Do what `apply --yes` does before the run starts, and between the old pipeline and the new at a reload.")
    var apply = false

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if !input.isEmpty, !untilIdle {
            throw ValidationError("--input goes with --until-idle: a file has an end.")
        }
        if watch, untilIdle {
            throw ValidationError(
                "--watch and --until-idle exclude each other: a run that ends by itself takes over nothing.")
        }
        if let workers, !(1...256).contains(workers) { throw ValidationError("--workers takes 1 to 256.") }
        if let batchRows, !(1...65_536).contains(batchRows) { throw ValidationError("--batch-rows takes 1 to 65536.") }
    }

    func run() throws {
        let project = try global.load(domain: domain.name)
        let alerts = try project.requireDomain().alerts
        if !alerts.isEmpty {
            global.say("\(alerts.count) alerts are checked but not acted on: this version does not judge alerts yet")
        }
        let inputs = try inputFiles(project)
        let readiness = Readiness()
        let endpoint = try startEndpoint(project, readiness)
        let system = try LiveSystem(
            project, domain: try project.requireDomain(), access: .change, inputs: inputs, notify: global.notify)
        let run = try makeRun(system, readiness)
        let signals = SignalWatch {
            Log.write(.notice, "stopping: what was read is being counted and written (again to stop at once)")
            run.stop()
        }
        // A run that ends by itself takes over nothing: SIGHUP keeps its meaning for it.
        let hangups =
            untilIdle
            ? nil
            : HangupWatch(
                onReload: { run.reload() },
                onTerminalGone: {
                    Log.write(.notice, "stopping: the terminal has gone")
                    run.stop()
                })
        let status = StatusLoop(run.status, isQuiet: global.quiet)
        defer { status.stop() }
        let summary: RunSummary
        do {
            summary = try withExtendedLifetime((signals, hangups)) { try run.run() }
        } catch let error as PipelineError where run.hasLeftCalls {
            status.stop()
            Failure.report(error, isOutputStuck: true)
            // An orderly exit would wait for what hangs: output that nobody takes, connections that do not close.
            Glibc._exit(error.exitCode)
        }
        status.stop()
        if run.hasLeftCalls {
            // A look at a changed configuration is inside a call of the broker or a sink.
            show(summary)
            fflush(nil)
            Glibc._exit(0)
        }
        try system.close()
        try endpoint?.stop()
        show(summary)
    }

    private func makeRun(_ system: LiveSystem, _ readiness: Readiness) throws -> ReloadableRun {
        let options = RunOptions(
            untilIdle: untilIdle, closeWindows: closeWindows, workers: workers, batchRows: batchRows,
            fromEarliest: fromEarliest, readsFiles: !input.isEmpty)
        return try ReloadableRun(
            system, .init(pipeline: options, isWatching: watch, appliesChanges: apply), readiness: readiness,
            load: Self.loading(global.request(domain: domain.name)),
            applied: { [global] in global.say(PlanView.text($0)) }, tell: Self.telling(global))
    }

    private func inputFiles(_ project: Project) throws -> [InputFile] {
        guard !input.isEmpty else { return [] }
        if project.platform.runtime.cluster != nil {
            throw DiagnosticsError(
                Diagnostic(
                    .inputNotReadable, "--input and runtime.cluster exclude each other: files are read by one process",
                    hint: "add --set runtime.cluster=false"))
        }
        let known = try project.requireDomain().eventTypes.map(\.name)
        var files: [InputFile] = []
        for argument in input {
            guard let mark = argument.firstIndex(of: "="), mark > argument.startIndex else {
                throw ValidationError(
                    "--input takes an event type and a file, as purchase=purchases.ndjson, not '\(argument)'.")
            }
            let name = String(argument[..<mark])
            guard known.contains(name) else {
                throw DiagnosticsError(
                    Diagnostic(
                        .unknownGeneratedEventType, "--input: the domain has no event type '\(name)'",
                        hint: nearestName(to: name, among: known).map { "did you mean '\($0)'?" }
                            ?? "it has: \(known.joined(separator: ", "))"))
            }
            guard !files.contains(where: { $0.eventType == name }) else {
                throw ValidationError("--input: '\(name)' is given twice; one run reads one file of an event type.")
            }
            files.append(try InputFile(eventType: name, path: String(argument[argument.index(after: mark)...])))
        }
        return files
    }

    private func startEndpoint(_ project: Project, _ readiness: Readiness) throws -> MonitoringEndpoint? {
        do {
            return try MonitoringEndpoint.start(project.platform.monitoring, readiness: readiness)
        } catch let error as PipelineError where error.code == .monitoringPort {
            // Most often the port is that of another run of the same domain, which is what matters.
            try LiveSystem.requireNoRun(project, try project.requireDomain())
            throw error
        }
    }

    private func show(_ summary: RunSummary) {
        if global.output == .json {
            return print(
                JSONValue.object([
                    "events_read": .integer(summary.eventsRead), "rows_written": .integer(summary.rowsWritten),
                    "dead_letters": .integer(summary.deadLetters), "late_events": .integer(summary.lateEvents),
                    "late_records": .integer(summary.lateRecords),
                    "checkpoints": .integer(summary.checkpoints), "seconds": .number(summary.seconds),
                ]).text())
        }
        let rate = Int(Double(summary.eventsRead) / max(summary.seconds, 0.001))
        global.say(
            "\(NumberText.counted(summary.eventsRead, "event")) in \(NumberText.duration(.seconds(summary.seconds))) "
                + "(\(NumberText.short(Double(rate)))/s), \(NumberText.counted(summary.rowsWritten, "row")) written, "
                + "\(NumberText.grouped(summary.lateEvents)) late\(summary.lateEvents > 0 ? " (summed over aggregations)" : ""), "
                + NumberText.counted(summary.deadLetters, "dead letter")
                + (summary.lateRecords > 0 ? ", \(NumberText.counted(summary.lateRecords, "late record")) kept" : "")
        )
    }
}

/// Shows a pipeline's counters on a terminal while it runs.
private final class StatusLoop: Sendable {
    private let isDone = Atomic<Bool>(false)
    private let stopped = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    init(_ status: PipelineStatus, isQuiet: Bool) {
        let thread = Thread { [self] in
            let line = StatusLine(start: .now, isQuiet: isQuiet)
            repeat {
                line.update(status.snapshot, at: .now)
            } while stopped.wait(timeout: .now() + .milliseconds(50)) == .timedOut
            line.erase()
            ended.signal()
        }
        thread.start()
    }

    /// Takes the line away; a second call does nothing.
    func stop() {
        if isDone.exchange(true, ordering: .acquiringAndReleasing) { return }
        stopped.signal()
        ended.wait()
    }
}

extension PipelineStatus {
    fileprivate var snapshot: StatusSnapshot {
        let watermark = watermark.load(ordering: .relaxed)
        return StatusSnapshot(
            eventsRead: eventsRead.load(ordering: .relaxed), lag: lag.load(ordering: .relaxed),
            watermarkMilliseconds: watermark == .min ? nil : watermark,
            rowsWritten: rowsWritten.load(ordering: .relaxed), deadLetters: deadLetters.load(ordering: .relaxed),
            lateEvents: lateEvents.load(ordering: .relaxed))
    }
}
