import ConfigTree
import Diagnostics
import PluginAPI

/// Reads a domain and collects what is wrong with it.
///
/// What could not be read is remembered by name (`broken…`), so that one mistake is reported once and not again at each
/// place that refers to it.
struct DomainReader {
    let platform: PlatformSettings
    let plugins: PluginRegistry
    var diagnostics = Diagnostics()

    /// `types:` as written, and as resolved; nil = reported as wrong.
    var typeNodes: [String: ConfigNode] = [:]
    var namedTypes: [String: FieldType?] = [:]

    var primaryKey = ""
    var namespace = ""
    var scopes: [EventScope] = []
    /// Derived streams with what may be named in them.
    var streams: [(definition: DerivedStream, scope: EventScope)] = []
    /// Names of event types, streams and aggregations that stand in the file but could not be read.
    var brokenEventTypes: Set<String> = []
    var brokenStreams: Set<String> = []
    var brokenAggregations: Set<String> = []
    var aggregations: [Aggregation] = []

    init(platform: PlatformSettings, plugins: PluginRegistry) {
        self.platform = platform
        self.plugins = plugins
    }

    mutating func error(
        _ code: DiagnosticCode, _ message: String, at location: SourceLocation?, path: String,
        notes: [Diagnostic.Note] = [], hint: String? = nil
    ) {
        diagnostics.error(code, message, at: location, path: path, notes: notes, hint: hint)
    }

    /// `did you mean 'x'?`, or the known names.
    func hint(for name: String, among known: [String], _ what: String) -> String {
        if let near = nearestName(to: name, among: known) { return "did you mean '\(near)'?" }
        return known.isEmpty ? "there are no \(what)" : "known \(what): \(known.joined(separator: ", "))"
    }

    /// The name under `key`, checked to be one that Avro and tables take; nil after a report.
    mutating func identifier(_ reader: inout MappingReader, _ key: String = "name") -> String? {
        guard let name = reader.requiredString(key, into: &diagnostics) else { return nil }
        if !NameRule.isIdentifier(name) {
            error(
                .invalidName, "'\(name)' cannot be a name", at: reader.mapping[key]?.location,
                path: reader.childPath(key), hint: NameRule.hint)
        }
        return name
    }

    /// Reports a name that `seen` holds already.
    mutating func unique(
        _ name: String, _ what: String, at location: SourceLocation, path: String,
        seen: inout [String: SourceLocation]
    ) {
        if let first = seen[name.lowercased()] {
            error(
                .duplicateName, "two \(what) are named '\(name)'", at: location, path: path,
                notes: [.init("the first one is here", at: first)], hint: "give one of them another name")
        } else {
            seen[name.lowercased()] = location
        }
    }
}
