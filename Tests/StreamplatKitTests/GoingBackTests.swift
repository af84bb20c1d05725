import Diagnostics
import Foundation
import PluginAPI
import ProjectConfig
import StreamRuntime
import StreamplatKit
import Synchronization
import Testing

/// A new pipeline that cannot be opened: the one before goes on, as if nothing had been.
@Suite("Going back from a reload", .serialized)
struct GoingBackTests {
    /// SQLite whose database can be looked at, and not opened for writing.
    private struct LockedSink: SinkPlugin {
        static let spec = PluginSpec(
            kind: .sink, name: "locked", summary: "For tests.",
            options: [OptionSpec("path", .path, default: ".streamplat/locked.db", isPlace: true, doc: "For tests.")])
        static let nature = SinkNature.table

        func open(_ options: OptionValues, _ context: PluginContext) throws -> any Sink {
            guard context.access == .inspect, let sqlite = PluginRegistry.builtin.sink("sqlite") else {
                throw PipelineError(.sinkFailed, "the database is locked")
            }
            return try sqlite.open(options, context)
        }
    }

    private struct Told: Sendable {
        var failures: [PipelineError] = []
        var adopted = 0
        var summary: RunSummary?
        var error: (any Error)?
    }

    @Test("The failure is told, the old pipeline counts on, and a later reload is taken over")
    func goingBack() throws {
        let harness = try RunHarness(domain: BadRecordTests.head + BadRecordTests.total)
        let environment = harness.folder.appendingPathComponent("environments/local.yaml")
        func configure(_ text: String) throws {
            try "kafka: { topics: { partitions: 1 } }\n\(text)\n".write(
                to: environment, atomically: true, encoding: .utf8)
        }
        let settings = "runtime: { flush_interval: 10 ms }"
        // The tables of both are there: the plan is empty.
        try configure("sinks: { primary: { sqlite: { path: .streamplat/locked.db } } }")
        try harness.apply()
        try configure(settings)
        try harness.apply()
        try harness.ingest((0..<5).map { BadRecordTests.event($0) }, as: "purchase")

        var plugins = PluginRegistry.builtin
        plugins.add(LockedSink())
        let domainPath = harness.domainPath
        let load: @Sendable () throws -> Project = { [plugins] in
            var sources = SourceTexts()
            return try Project.load(
                .init(domain: domainPath, environment: "local"), plugins: plugins, sources: &sources)
        }
        let project = try load()
        let system = try LiveSystem(
            project, domain: try #require(project.domain), access: .change, notify: { _ in })
        let told = Mutex(Told())
        let run = try ReloadableRun(
            system, .init(pipeline: RunOptions(workers: 1)), readiness: Readiness(), load: load, applied: { _ in },
            tell: { event in
                told.withLock { told in
                    switch event {
                    case .failed(let error): told.failures.append(error)
                    case .adopted: told.adopted += 1
                    default: break
                    }
                }
            })
        let over = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let result = Result { try run.run() }
            told.withLock { told in
                switch result {
                case .success(let summary): told.summary = summary
                case .failure(let error): told.error = error
                }
            }
            over.signal()
        }
        func wait(_ what: String, until isRight: () -> Bool) throws {
            let end = Date(timeIntervalSinceNow: 60)
            while !isRight(), Date() < end { usleep(2000) }
            try #require(isRight(), "\(what): \(told.withLock { $0 })")
        }
        func isRead(_ count: Int) -> Bool { run.status.eventsRead.load(ordering: .relaxed) == count }
        try wait("the first events are read") { isRead(5) }

        try configure("\(settings)\nsinks: { primary: { type: locked } }")
        run.reload()
        try wait("the failure is told") { told.withLock { $0.failures.count == 1 } }
        #expect(told.withLock { $0.failures.first?.code } == .reloadFailed)
        #expect(told.withLock { $0.failures.first?.message.contains("the database is locked") } == true)
        // The harness knows no sink of that type.
        try configure(settings)
        try harness.ingest((5..<9).map { BadRecordTests.event($0) }, as: "purchase")
        try wait("the old pipeline reads on, and nothing twice") { isRead(9) }
        #expect(told.withLock { $0.adopted } == 0)

        try configure("runtime: { flush_interval: 20 ms }")
        run.reload()
        try wait("a good configuration is taken over") { told.withLock { $0.adopted == 1 } }
        try harness.ingest([BadRecordTests.event(9)], as: "purchase")
        try wait("the new pipeline reads on") { isRead(10) }
        run.stop()
        #expect(over.wait(timeout: .now() + .seconds(60)) == .success)
        #expect(told.withLock { $0.summary?.eventsRead } == 10, "\(told.withLock { $0 })")
        #expect(!run.hasLeftCalls)
        try system.close()
    }
}
