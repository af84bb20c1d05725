internal import ConfigTree
public import Diagnostics

/// What every plugin has. Built-in plugins enter by the same door as a third party's.
public protocol Plugin: Sendable {
    static var spec: PluginSpec { get }
    /// Checks options beyond their types. Pure: no file, no network.
    func validate(_ options: OptionValues, into diagnostics: inout Diagnostics)
}

extension Plugin {
    public func validate(_ options: OptionValues, into diagnostics: inout Diagnostics) {}
    public var spec: PluginSpec { Self.spec }
}

/// What a plugin gets from its surroundings when it is opened.
public struct PluginContext: Sendable {
    /// Relative paths in options are relative to this folder.
    public var projectRoot: String
    /// What the plugin may do to the world.
    public var access: Access
    /// Says something that a person should know, such as that a torn tail was cut. Any thread.
    public var notify: @Sendable (String) -> Void

    public enum Access: Sendable {
        /// Only look: nothing is created or changed. What is not there counts as empty.
        case inspect
        case change
    }

    public init(
        projectRoot: String, access: Access = .change, notify: @escaping @Sendable (String) -> Void
    ) {
        self.projectRoot = projectRoot
        self.access = access
        self.notify = notify
    }

    /// `path` as an absolute path, seen from the project root.
    public func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : "\(projectRoot)/\(path)"
    }
}

/// Where secrets come from.
public protocol SecretBackendPlugin: Plugin {
    func open(_ options: OptionValues, _ context: PluginContext) throws -> any SecretBackend
}

/// An open secret backend. Threads: any.
public protocol SecretBackend: Sendable {
    /// The secret's value, or nil when there is none of that name. Throws when the backend itself fails.
    func secret(named key: String) throws -> Secret?
    /// Asks the backend whether it is there.
    func health() throws -> ComponentHealth
}
