internal import DurableFiles
internal import PluginAPI

/// One line of the store's file: something that happened, for ever.
enum LedgerEntry {
    case registered(subject: String, version: Int, id: Int32, schema: String)
    /// Nil = every version.
    case deleted(subject: String, version: Int?, isPermanent: Bool)
    /// Nil subject = all that have no level of their own; nil level = none any more.
    case level(subject: String?, CompatibilityLevel?)
    case mode(subject: String?, RegistryMode?)

    /// JSON with a final newline. A schema's line has no "op": so it was before there were others.
    var line: String {
        var members: [OrderedJSON.Member] = []
        func add(_ name: String, _ value: OrderedJSON) { members.append(OrderedJSON.Member(name: name, value: value)) }
        switch self {
        case .registered(let subject, let version, let id, let schema):
            add("id", .integer(Int64(id)))
            add("subject", .string(subject))
            add("version", .integer(Int64(version)))
            add("schema", .string(schema))
        case .deleted(let subject, let version, let isPermanent):
            add("op", .string("delete"))
            add("subject", .string(subject))
            if let version { add("version", .integer(Int64(version))) }
            add("permanent", .boolean(isPermanent))
        case .level(let subject, let level):
            add("op", .string("compatibility"))
            if let subject { add("subject", .string(subject)) }
            add("level", level.map { .string($0.rawValue) } ?? .null)
        case .mode(let subject, let mode):
            add("op", .string("mode"))
            if let subject { add("subject", .string(subject)) }
            add("mode", mode.map { .string($0.rawValue) } ?? .null)
        }
        return OrderedJSON.object(members).text + "\n"
    }

    /// Nil for what is no entry.
    init?(line: some Collection<UInt8>) {
        guard let json = OrderedJSON.parse(line) else { return nil }
        let subject = json["subject"]?.string
        switch (json["op"]?.string, subject) {
        case (nil, let subject?):
            guard json["op"] == nil, let id = json["id"]?.integer.flatMap(Int32.init(exactly:)),
                let version = json["version"]?.integer, let schema = json["schema"]?.string
            else { return nil }
            self = .registered(subject: subject, version: Int(version), id: id, schema: schema)
        case ("delete", let subject?):
            guard case .boolean(let isPermanent)? = json["permanent"] else { return nil }
            self = .deleted(
                subject: subject, version: json["version"]?.integer.map { Int($0) }, isPermanent: isPermanent)
        case ("compatibility", _):
            if json["level"] == .null {
                self = .level(subject: subject, nil)
            } else {
                guard let level = json["level"]?.string.flatMap(CompatibilityLevel.init) else { return nil }
                self = .level(subject: subject, level)
            }
        case ("mode", _):
            if json["mode"] == .null {
                self = .mode(subject: subject, nil)
            } else {
                guard let mode = json["mode"]?.string.flatMap(RegistryMode.init) else { return nil }
                self = .mode(subject: subject, mode)
            }
        default: return nil
        }
    }
}
