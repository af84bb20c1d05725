internal import ConfigTree
public import Diagnostics
public import PlatformModel
public import PluginAPI
public import ProjectConfig

/// A project as one command sees it: its merged configuration, checked and bound. Nothing is opened yet.
///
/// Loading needs no network and no secret.
public struct Project: Sendable {
    public let plugins: PluginRegistry
    /// Environment variables are resolved, secrets are not.
    public let configuration: LoadedConfiguration
    public let platform: PlatformSettings
    /// Nil when the command needs none and none was named.
    public let domain: DomainDefinition?
    /// What was found and is no error.
    public let warnings: Diagnostics

    /// Finds, merges, resolves and checks. Throws all findings together.
    ///
    /// - Parameters:
    ///   - sources: Gets every text that was read, also when it throws, for excerpts.
    ///   - loader: Where it looks for the project.
    public static func load(
        _ request: ConfigurationLoader.Request, plugins: PluginRegistry, sources: inout SourceTexts,
        loader: ConfigurationLoader = ConfigurationLoader()
    ) throws(DiagnosticsError) -> Project {
        let loaded = try loader.load(request, sources: &sources)
        var diagnostics = Diagnostics()
        // What the secret backend needs is needed when it is opened: most commands do without.
        let configuration = loaded.resolvingEnvironment(
            deferring: "secrets", lookup: ConfigurationLoader.processEnvironment, into: &diagnostics)
        checkSecretOptions(configuration.tree, into: &diagnostics)
        let platform = PlatformSettings.check(configuration.tree, plugins: plugins, into: &diagnostics)
        var domain: DomainDefinition?
        if let platform, configuration.domainName != nil {
            domain = DomainDefinition.check(
                configuration.tree, platform: platform, plugins: plugins, into: &diagnostics)
        }
        try diagnostics.throwIfErrors()
        guard let platform else { throw DiagnosticsError(diagnostics: diagnostics) }
        return Project(
            plugins: plugins, configuration: configuration, platform: platform, domain: domain, warnings: diagnostics)
    }

    /// The same project with the secrets of its broker, schema registry and sinks put in; all that are missing are
    /// reported together.
    ///
    /// - Parameter parts: What will be used; the rest keeps its variables, as do blocks of plugins that no `type` names.
    public func resolvingSecrets(
        of parts: [Part] = [.broker, .schemaRegistry, .sinks], notify: @escaping @Sendable (String) -> Void
    ) throws -> Project {
        let paths = parts.flatMap(optionPaths)
        guard paths.contains(where: { configuration.tree.node(at: $0)?.holdsSecretVariable == true }) else {
            return self
        }
        let backend = ObservedSecrets(try openSecrets(notify: notify))
        var diagnostics = Diagnostics()
        var resolved = configuration
        for path in paths {
            resolved = resolved.resolvingSecrets(
                at: path, from: backend, lookup: ConfigurationLoader.processEnvironment, into: &diagnostics)
        }
        try diagnostics.throwIfErrors(exitCode: backend.exitCode(of: diagnostics))
        guard let settings = PlatformSettings.check(resolved.tree, plugins: plugins, into: &diagnostics) else {
            throw DiagnosticsError(diagnostics: diagnostics)
        }
        try diagnostics.throwIfErrors()
        return Project(
            plugins: plugins, configuration: resolved, platform: settings, domain: domain, warnings: warnings)
    }

    /// A part of an environment that is opened by itself.
    public enum Part: Sendable {
        case broker, schemaRegistry, sinks
        case sink(String)
    }

    /// Where the options of a part's plugins stand in the configuration.
    private func optionPaths(_ part: Part) -> [String] {
        switch part {
        case .broker: ["broker.\(platform.broker.type)"]
        case .schemaRegistry: ["schema_registry.\(platform.schemaRegistry.type)"]
        case .sinks: platform.sinks.map { "sinks.\($0.name).\($0.plugin.type)" }
        case .sink(let name):
            platform.sinks.filter { $0.name == name }.map { "sinks.\($0.name).\($0.plugin.type)" }
        }
    }

    public func context(
        _ access: PluginContext.Access = .change, _ notify: @escaping @Sendable (String) -> Void
    ) -> PluginContext {
        PluginContext(projectRoot: configuration.root, access: access, notify: notify)
    }

    /// Opens the broker. Throws ``PipelineError`` with exit code 3 when it is not there.
    public func openBroker(
        _ access: PluginContext.Access, notify: @escaping @Sendable (String) -> Void
    ) throws -> any Broker {
        guard let plugin = plugins.broker(platform.broker.type) else {
            throw PipelineError(.pluginMissing, "broker '\(platform.broker.type)' has no plugin")
        }
        return try opening(platform.broker, type(of: plugin).spec, at: "broker") {
            try plugin.open(platform.broker.options, context(access, notify))
        }
    }

    /// Opens the schema registry. Throws ``PipelineError`` with exit code 3 when it is not there.
    public func openSchemaRegistry(
        _ access: PluginContext.Access, notify: @escaping @Sendable (String) -> Void
    ) throws -> any SchemaRegistry {
        guard let plugin = plugins.schemaRegistry(platform.schemaRegistry.type) else {
            throw PipelineError(.pluginMissing, "schema registry '\(platform.schemaRegistry.type)' has no plugin")
        }
        return try opening(platform.schemaRegistry, type(of: plugin).spec, at: "schema_registry") {
            try plugin.open(platform.schemaRegistry.options, context(access, notify))
        }
    }

    /// Opens a sink by its name in `sinks:`.
    public func openSink(
        _ name: String, _ access: PluginContext.Access, notify: @escaping @Sendable (String) -> Void
    ) throws -> any Sink {
        guard let definition = platform.sink(name), let plugin = plugins.sink(definition.plugin.type) else {
            throw PipelineError(.pluginMissing, "sink '\(name)' is not defined, or has no plugin")
        }
        return try opening(definition.plugin, type(of: plugin).spec, at: "sinks.\(name)") {
            try plugin.open(definition.plugin.options, context(access, notify))
        }
    }

    /// What each sink can do with a row whose key it has seen.
    public var sinkNatures: [String: SinkNature] {
        Dictionary(
            uniqueKeysWithValues: platform.sinks.compactMap { sink in
                plugins.sink(sink.plugin.type).map { (sink.name, type(of: $0).nature) }
            })
    }
}
