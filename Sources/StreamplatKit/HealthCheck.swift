public import Diagnostics
internal import Foundation
internal import PlatformModel
public import PluginAPI
internal import Synchronization

/// Looks at every part of an environment: is it there, which version, how fast does it answer.
public struct HealthCheck: Sendable {
    /// What one look found.
    public struct Report: Sendable {
        /// Where it stands in the configuration: `broker`, `sinks.primary`.
        public var component: String
        /// The plugin.
        public var type: String
        /// Nil when it cannot be used.
        public var health: ComponentHealth?
        /// From the beginning of the opening to the answer.
        public var milliseconds: Double
        /// Why it cannot be used, and what can be done.
        public var fault: String?
        public var hint: String?
        /// Where its settings stand.
        public var notes: [Diagnostic.Note] = []
    }

    private let project: Project
    private let notify: @Sendable (String) -> Void

    public init(_ project: Project, notify: @escaping @Sendable (String) -> Void) {
        self.project = project
        self.notify = notify
    }

    /// Looks at all parts at the same time, each on a thread of its own; in the order of the configuration. Changes nothing.
    public func run() -> [Report] {
        let platform = project.platform
        var looks: [(component: String, type: String, look: @Sendable () throws -> ComponentHealth)] = [
            ("secrets", platform.secrets.type, { [self] in try project.openSecrets(notify: notify).health() }),
            ("broker", platform.broker.type, { [self] in try lookAtBroker() }),
            ("schema_registry", platform.schemaRegistry.type, { [self] in try lookAtSchemaRegistry() }),
        ]
        for sink in platform.sinks {
            looks.append(("sinks.\(sink.name)", sink.plugin.type, { [self] in try lookAtSink(sink.name) }))
        }
        let reports = Mutex<[Int: Report]>([:])
        let group = DispatchGroup()
        for (index, item) in looks.enumerated() {
            group.enter()
            Thread.detachNewThread {
                let report = Self.report(item.component, item.type, item.look)
                reports.withLock { $0[index] = report }
                group.leave()
            }
        }
        group.wait()
        return reports.withLock { found in looks.indices.compactMap { found[$0] } }
    }

    private static func report(
        _ component: String, _ type: String, _ look: () throws -> ComponentHealth
    ) -> Report {
        let clock = ContinuousClock()
        let begin = clock.now
        var report = Report(component: component, type: type, health: nil, milliseconds: 0)
        do {
            report.health = try look()
        } catch let error as PipelineError {
            report.fault = error.message
            report.hint = error.hint
            report.notes = error.notes
        } catch let error as DiagnosticsError {
            report.fault = error.diagnostics.sorted.map(\.message).joined(separator: "; ")
            report.hint = error.diagnostics.sorted.compactMap(\.hint).first
        } catch {
            report.fault = "\(error)"
        }
        report.milliseconds = (clock.now - begin) / .milliseconds(1)
        return report
    }

    private func lookAtBroker() throws -> ComponentHealth {
        let broker = try project.resolvingSecrets(of: [.broker], notify: notify).openBroker(.inspect, notify: notify)
        let health = try broker.health()
        try broker.close()
        return health
    }

    private func lookAtSchemaRegistry() throws -> ComponentHealth {
        let registry = try project.resolvingSecrets(of: [.schemaRegistry], notify: notify)
            .openSchemaRegistry(.inspect, notify: notify)
        let health = try registry.health()
        try registry.close()
        return health
    }

    private func lookAtSink(_ name: String) throws -> ComponentHealth {
        let sink = try project.resolvingSecrets(of: [.sink(name)], notify: notify)
            .openSink(name, .inspect, notify: notify)
        let health = try sink.health()
        try sink.close()
        return health
    }
}
