public import Diagnostics
public import PlatformModel
public import PluginAPI
public import InputFiles
internal import ProjectConfig
public import Provisioning
public import StreamRuntime

/// A project's broker, schema registry and sinks, open. Threads: any for the broker, the registry and ``plan()``; one for
/// what changes anything.
public final class LiveSystem: Sendable {
    public let project: Project
    public let domain: DomainDefinition
    public let broker: any Broker
    public let schemas: any SchemaRegistry
    /// What a run reads in place of topics; empty for a run of the topics.
    private let inputs: [InputFile]
    private let access: PluginContext.Access
    private let notify: @Sendable (String) -> Void

    /// Resolves secrets and opens the broker and the schema registry.
    ///
    /// - Parameter inputs: Files that a pipeline reads in place of all topics, at most one an event type.
    public init(
        _ project: Project, domain: DomainDefinition, access: PluginContext.Access, inputs: [InputFile] = [],
        notify: @escaping @Sendable (String) -> Void
    ) throws {
        try TopicOwnership(project).conflicts().throwIfErrors()
        self.project = try project.resolvingSecrets(notify: notify)
        self.domain = domain
        self.inputs = inputs
        self.notify = notify
        self.access = access
        schemas = try self.project.openSchemaRegistry(access, notify: notify)
        broker = try self.project.openBroker(access, notify: notify)
    }

    /// The same broker and schema registry for another version of the project, whose settings of them are the same.
    ///
    /// Resolves secrets. Only one of the two is closed in the end.
    init(_ project: Project, domain: DomainDefinition, sharing other: LiveSystem) throws {
        try TopicOwnership(project).conflicts().throwIfErrors()
        let notify = other.notify
        self.project = try project.resolvingSecrets(notify: notify)
        self.domain = domain
        self.notify = notify
        inputs = other.inputs
        access = other.access
        schemas = other.schemas
        broker = other.broker
    }

    /// The difference between the domain and what is there. Sinks are only looked at, whatever the system's access is.
    public func plan() throws -> Plan { try withProvisioner(.inspect) { try $0.plan() } }

    /// Carries a plan out.
    public func apply(_ plan: Plan, progress: (Plan.Item) -> Void) throws {
        try apply(plan, under: plan.needsNoRun ? RunLock(folder: checkpointFolder) : nil, progress: progress)
    }

    /// Carries a plan out while the caller holds the domain, and no pipeline runs.
    func apply(_ plan: Plan, under lock: RunLock?, progress: (Plan.Item) -> Void) throws {
        try plan.diagnostics.throwIfErrors(exitCode: 1)
        if let lock, plan.needsNoRun {
            // First, so that a crash in between only means counting again. It is refused while a run holds the domain,
            // which would not read new partitions and would find their events late afterwards.
            try CheckpointMaintenance.forget(tables: Set(plan.countedTables.map(\.name)), under: lock)
        }
        try withProvisioner(.change) { try $0.apply(plan, progress: progress) }
    }

    /// Makes the next run count these tables anew from the earliest offset; their rows stay and are replaced. Throws
    /// ``PipelineError`` `SP6101` while a run holds the domain.
    func recount(tables: Set<String>) throws {
        try CheckpointMaintenance.forget(tables: tables, folder: checkpointFolder)
    }

    private func withProvisioner<Result>(
        _ access: PluginContext.Access, _ body: (Provisioner) throws -> Result
    ) throws -> Result {
        let desired = DesiredState(
            domain: domain, topicPrefix: project.platform.topicPrefix, cluster: project.platform.runtime.cluster)
        var sinks: [String: any Sink] = [:]
        for name in Set(desired.tables.map(\.sink)) { sinks[name] = try project.openSink(name, access, notify: notify) }
        let provisioner = Provisioner(
            desired: desired, broker: broker, schemas: schemas, compatibility: project.platform.schemas.compatibility,
            sinks: sinks)
        let result = try body(provisioner)
        for sink in sinks.values { try sink.close() }
        return result
    }

    /// A pipeline, ready to run. Throws when the live system is not as the domain wants it.
    ///
    /// - Parameter readiness: Is released when the pipeline processes events.
    public func makePipeline(_ options: RunOptions, readiness: Readiness = Readiness()) throws -> Pipeline {
        try requireApplied(try plan())
        return pipeline(options, readiness)
    }

    /// Throws when something of a plan is outstanding.
    func requireApplied(_ plan: Plan, hint: String = "run `streamplat apply` first") throws {
        try plan.diagnostics.throwIfErrors(exitCode: 1)
        let pending = plan.changes
        guard !pending.isEmpty else { return }
        let names = pending.prefix(4).map { "\($0.kind.rawValue) \($0.name)" }.joined(separator: ", ")
        throw PipelineError(
            .notApplied, "not applied yet: \(names)\(pending.count > 4 ? " and \(pending.count - 4) more" : "")",
            hint: hint, exitCode: 3)
    }

    /// A pipeline of a system that is as the domain wants it.
    func pipeline(
        _ options: RunOptions, _ readiness: Readiness, status: PipelineStatus = PipelineStatus(),
        onStart: @escaping @Sendable () -> Void = {}
    ) -> Pipeline {
        let project = project
        let notify = notify
        return Pipeline(
            Pipeline.Parts(
                domain: domain.reading(inputs), settings: project.platform.runtime,
                deadLetters: project.platform.deadLetters,
                topicPrefix: project.platform.topicPrefix,
                broker: inputs.isEmpty ? broker : FileBackedBroker(broker, inputs, notify: notify), schemas: schemas,
                sinkNatures: project.sinkNatures,
                openSink: { try project.openSink($0, .change, notify: notify) },
                checkpointFolder: checkpointFolder, environment: project.configuration.environment,
                notify: notify),
            options: options, readiness: readiness, status: status, onStart: onStart)
    }

    /// A checkpoint says how far the results in certain stores have come, so every environment and every set of stores
    /// has one of its own: results that go elsewhere begin at the earliest offset, and going back goes on where it was.
    var checkpointFolder: String { project.checkpointFolder(of: domain) }

    /// Throws ``PipelineError`` `SP6101` while a run of this machine holds the domain. Opens no server.
    public static func requireNoRun(_ project: Project, _ domain: DomainDefinition) throws(PipelineError) {
        try CheckpointMaintenance.requireNoRun(folder: project.checkpointFolder(of: domain))
    }

    /// The time of the newest record in the domain's topics, milliseconds since the epoch; nil when they are empty.
    public func newestRecord() throws -> Int64? {
        try NewestRecord.time(in: domain.eventTypes.map(\.topic.name), of: broker)
    }

    public func close() throws {
        try broker.close()
        try schemas.close()
    }
}

extension DomainDefinition {
    /// The domain whose event types are those of the files, in their format; the domain itself without any.
    fileprivate func reading(_ inputs: [InputFile]) -> DomainDefinition {
        guard !inputs.isEmpty else { return self }
        var result = self
        result.eventTypes = eventTypes.compactMap { eventType in
            guard let input = inputs.first(where: { $0.eventType == eventType.name }) else { return nil }
            var eventType = eventType
            eventType.topic.name = input.topic
            eventType.format = input.format == .ndjson ? .json : .avro
            return eventType
        }
        return result
    }
}

extension Project {
    fileprivate func checkpointFolder(of domain: DomainDefinition) -> String {
        let places = String(sinkPlaces(of: domain), radix: 16)
        return context(.inspect, { _ in }).absolute(
            "\(platform.runtime.checkpointPath)/\(configuration.environment)/\(domain.name)/sinks-\(places)")
    }

    /// A hash of where the domain's results go: FNV-1a over names, types and places of its sinks.
    private func sinkPlaces(of domain: DomainDefinition) -> UInt64 {
        var text = ""
        for name in Set(domain.sinkNames + ["primary"]).sorted() {
            guard let selection = platform.sink(name)?.plugin, let plugin = plugins.sink(selection.type)
            else { continue }
            text += "\(name) \(selection.type)"
            for option in plugin.spec.options where option.isPlace {
                text += " \(option.key)=\(selection.options.string(option.key) ?? "")"
            }
            text += "\n"
        }
        return text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
