internal import Diagnostics
public import PlatformModel
public import PluginAPI
public import Provisioning
public import StreamRuntime

/// A project's broker, schema registry and sinks, open. Threads: one, but for the broker.
public final class LiveSystem {
    public let project: Project
    public let domain: DomainDefinition
    public let broker: any Broker
    public let schemas: any SchemaRegistry
    private let access: PluginContext.Access
    private let notify: @Sendable (String) -> Void

    /// Resolves secrets and opens the broker and the schema registry.
    public init(
        _ project: Project, domain: DomainDefinition, access: PluginContext.Access,
        notify: @escaping @Sendable (String) -> Void
    ) throws {
        try TopicOwnership(project).conflicts().throwIfErrors()
        self.project = try project.resolvingSecrets(notify: notify)
        self.domain = domain
        self.notify = notify
        self.access = access
        schemas = try self.project.openSchemaRegistry(access, notify: notify)
        broker = try self.project.openBroker(access, notify: notify)
    }

    /// The difference between the domain and what is there, and, after `confirm` has seen it, none.
    /// Gives nil when `confirm` said no.
    public func provision(
        confirm: (Plan) throws -> Bool, progress: (Plan.Item) -> Void
    ) throws -> Plan? {
        let desired = DesiredState(domain: domain, topicPrefix: project.platform.topicPrefix)
        var sinks: [String: any Sink] = [:]
        for name in Set(desired.tables.map(\.sink)) { sinks[name] = try project.openSink(name, access, notify: notify) }
        let provisioner = Provisioner(desired: desired, broker: broker, schemas: schemas, sinks: sinks)
        let plan = try provisioner.plan()
        if try confirm(plan) {
            try plan.diagnostics.throwIfErrors(exitCode: 1)
            let tables = plan.changes.filter { $0.kind == .table }
            if !tables.isEmpty {
                // First, so that a crash in between only means counting again.
                try CheckpointMaintenance.forget(
                    tables: Set(tables.filter { $0.action == .create || $0.action == .rebuild }.map(\.name)),
                    folder: checkpointFolder)
            }
            try provisioner.apply(plan, progress: progress)
        } else if !plan.isEmpty {
            return nil
        }
        for sink in sinks.values { try sink.close() }
        return plan
    }

    /// A pipeline, ready to run. Throws when the live system is not as the domain wants it.
    public func makePipeline(_ options: RunOptions) throws -> Pipeline {
        var pending: [Plan.Item] = []
        _ = try provision(
            confirm: { plan in
                try plan.diagnostics.throwIfErrors(exitCode: 1)
                pending = plan.changes
                return false
            }, progress: { _ in })
        guard pending.isEmpty else {
            let names = pending.prefix(4).map { "\($0.kind.rawValue) \($0.name)" }.joined(separator: ", ")
            throw PipelineError(
                .notApplied, "not applied yet: \(names)\(pending.count > 4 ? " and \(pending.count - 4) more" : "")",
                hint: "run `streamplat apply` first", exitCode: 3)
        }
        let project = project
        let notify = notify
        return Pipeline(
            Pipeline.Parts(
                domain: domain, settings: project.platform.runtime, topicPrefix: project.platform.topicPrefix,
                broker: broker, schemas: schemas, sinkNatures: project.sinkNatures,
                openSink: { try project.openSink($0, .change, notify: notify) },
                checkpointFolder: checkpointFolder,
                notify: notify),
            options: options)
    }

    private var checkpointFolder: String {
        project.context(access, notify).absolute("\(project.platform.runtime.checkpointPath)/\(domain.name)")
    }

    public func close() throws {
        try broker.close()
        try schemas.close()
    }
}
