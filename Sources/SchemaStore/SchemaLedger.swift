internal import PluginAPI

/// What the store knows: the sum of its entries. A value without I/O.
struct SchemaLedger {
    struct Version {
        var number: Int
        var id: Int32
        /// Softly: it is no longer offered, but its messages can be read.
        var isDeleted = false
    }

    /// By id - 1. Ids are never given again, not even after a permanent deletion.
    private(set) var texts: [String] = []
    private(set) var ids: [String: Int32] = [:]
    /// Versions in ascending order; never empty.
    private(set) var subjects: [String: [Version]] = [:]
    private(set) var levels: [String: CompatibilityLevel] = [:]
    private(set) var globalLevel: CompatibilityLevel?
    private(set) var modes: [String: RegistryMode] = [:]
    private(set) var globalMode: RegistryMode?

    /// False when the entry contradicts the ones before.
    mutating func apply(_ entry: LedgerEntry) -> Bool {
        switch entry {
        case .registered(let subject, let version, let id, let schema):
            guard id >= 1, id <= texts.count + 1, version > subjects[subject]?.last?.number ?? 0 else { return false }
            if id == texts.count + 1 {
                guard ids[schema] == nil else { return false }
                texts.append(schema)
                ids[schema] = id
            } else if texts[Int(id) - 1] != schema {
                return false
            }
            subjects[subject, default: []].append(Version(number: version, id: id))
        case .deleted(let subject, let version, let isPermanent):
            guard var versions = subjects[subject] else { return false }
            if let version, !versions.contains(where: { $0.number == version }) { return false }
            if isPermanent {
                versions.removeAll { version == nil || $0.number == version }
            } else {
                for index in versions.indices where version == nil || versions[index].number == version {
                    versions[index].isDeleted = true
                }
            }
            subjects[subject] = versions.isEmpty ? nil : versions
        case .level(let subject?, let level): levels[subject] = level
        case .level(nil, let level): globalLevel = level
        case .mode(let subject?, let mode): modes[subject] = mode
        case .mode(nil, let mode): globalMode = mode
        }
        return true
    }

    func text(_ id: Int32) -> String { texts[Int(id) - 1] }

    /// The versions that are offered, or all that are kept.
    func versions(_ subject: String, includingDeleted: Bool) -> [Version] {
        (subjects[subject] ?? []).filter { includingDeleted || !$0.isDeleted }
    }

    func level(for subject: String) -> CompatibilityLevel { levels[subject] ?? globalLevel ?? .backward }
    func mode(for subject: String) -> RegistryMode { modes[subject] ?? globalMode ?? .readWrite }
}
