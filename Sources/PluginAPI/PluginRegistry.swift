internal import Diagnostics

/// The plugins of a program: a value that is built once and passed on.
public struct PluginRegistry: Sendable {
    private var plugins: [PluginKind: [String: any Plugin]] = [:]
    /// Plugins of one name and kind: the second is not added.
    public private(set) var conflicts: [String] = []

    public init() {}

    public mutating func add(_ plugin: some Plugin) {
        let spec = plugin.spec
        if plugins[spec.kind]?[spec.name] != nil {
            conflicts.append("two \(spec.kind.rawValue) plugins are named '\(spec.name)'")
        } else {
            plugins[spec.kind, default: [:]][spec.name] = plugin
        }
    }

    public func names(_ kind: PluginKind) -> [String] { (plugins[kind] ?? [:]).keys.sorted() }

    public func plugin(_ kind: PluginKind, _ name: String) -> (any Plugin)? { plugins[kind]?[name] }

    public func sink(_ name: String) -> (any SinkPlugin)? { plugins[.sink]?[name] as? any SinkPlugin }
    public func broker(_ name: String) -> (any BrokerPlugin)? { plugins[.broker]?[name] as? any BrokerPlugin }
    public func schemaRegistry(_ name: String) -> (any SchemaRegistryPlugin)? {
        plugins[.schemaRegistry]?[name] as? any SchemaRegistryPlugin
    }
    public func secretBackend(_ name: String) -> (any SecretBackendPlugin)? {
        plugins[.secretBackend]?[name] as? any SecretBackendPlugin
    }

    public func operation(_ name: String) -> (any OperatorPlugin)? { plugins[.operation]?[name] as? any OperatorPlugin }

    /// Every plugin, by kind and name.
    public var all: [any Plugin] {
        PluginKind.allCases.flatMap { kind in names(kind).compactMap { plugins[kind]?[$0] } }
    }
}
