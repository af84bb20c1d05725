public import PluginAPI

extension SchemaStore {
    /// The level of all subjects that have none of their own; BACKWARD unless it was set.
    public func globalCompatibility() throws -> CompatibilityLevel { try read { $0.ledger.globalLevel ?? .backward } }

    /// The level that a new version of the subject must meet: its own, else the global one.
    public func compatibility(subject: String) throws -> CompatibilityLevel {
        try read { $0.ledger.level(for: subject) }
    }

    /// The subject's own level; nil when it has none.
    public func ownCompatibility(subject: String) throws -> CompatibilityLevel? {
        try read { $0.ledger.levels[subject] }
    }

    /// Sets a subject's own level, or the global one (nil subject). A nil level goes back to the default.
    public func setCompatibility(_ level: CompatibilityLevel?, subject: String?) throws {
        try write { state in
            let current = subject.map { state.ledger.levels[$0] } ?? state.ledger.globalLevel
            return ((), current == level ? [] : [.level(subject: subject, level)])
        }
    }

    /// The mode of all subjects that have none of their own; READWRITE unless it was set.
    public func globalMode() throws -> RegistryMode { try read { $0.ledger.globalMode ?? .readWrite } }

    /// The mode of a subject: its own, else the global one.
    public func mode(subject: String) throws -> RegistryMode { try read { $0.ledger.mode(for: subject) } }

    /// The subject's own mode; nil when it has none.
    public func ownMode(subject: String) throws -> RegistryMode? { try read { $0.ledger.modes[subject] } }

    /// Sets a subject's own mode, or the global one (nil subject). A nil mode goes back to the default.
    public func setMode(_ mode: RegistryMode?, subject: String?) throws {
        try write { state in
            let current = subject.map { state.ledger.modes[$0] } ?? state.ledger.globalMode
            return ((), current == mode ? [] : [.mode(subject: subject, mode)])
        }
    }
}
