import ConfigTree
import Diagnostics

extension DomainReader {
    /// Reads and checks top-level `types:`, used or not.
    mutating func readTypes(_ node: ConfigNode?) {
        guard let node, let reader = MappingReader(node, path: "types", into: &diagnostics) else { return }
        for entry in reader.mapping.entries where !entry.key.hasPrefix("x-") {
            let path = "types.\(entry.key)"
            if !NameRule.isIdentifier(entry.key) {
                error(
                    .invalidName, "'\(entry.key)' cannot be a name", at: entry.keyLocation, path: path,
                    hint: NameRule.hint)
            } else if TypeSyntax.builtInNames.contains(entry.key) {
                error(.reservedName, "'\(entry.key)' is a built-in type", at: entry.keyLocation, path: path)
            } else {
                typeNodes[entry.key] = entry.node
            }
        }
        for entry in reader.mapping.entries where typeNodes[entry.key] != nil {
            _ = namedType(entry.key, within: [], at: entry.keyLocation)
        }
    }

    /// A type of `types:`; nil after a report.
    private mutating func namedType(_ name: String, within: [String], at location: SourceLocation) -> FieldType? {
        if let known = namedTypes[name] { return known }
        if within.contains(name) {
            error(
                .cyclicType, "type '\(name)' contains itself: \((within + [name]).joined(separator: " → "))",
                at: location, path: "types.\(name)")
            return nil
        }
        guard let node = typeNodes[name] else { return nil }
        var type: FieldType?
        if node.mapping != nil {
            if var reader = MappingReader(node, path: "types.\(name)", into: &diagnostics) {
                _ = reader.string("doc", into: &diagnostics)
                type = readType(&reader, default: nil, within: within + [name])
                reader.finish(into: &diagnostics)
            }
        } else if let text = readString(node, path: "types.\(name)", into: &diagnostics) {
            var none = TypeParts()
            type = resolve(text, at: node.location, path: "types.\(name)", parts: &none, within: within + [name])
        }
        namedTypes[name] = .some(type)
        return type
    }

    /// The keys beside `type:` that complete it, and whether the type used them.
    struct TypeParts {
        var fields: [Field]?
        var symbols: [String]?
        var scale: Int?
        var used: Set<String> = []
    }

    /// `type:` with `fields`, `symbols` or `scale` beside it. Nil after a report, or when there is neither a type nor a
    /// default.
    mutating func readType(
        _ reader: inout MappingReader, default defaultType: FieldType?, within: [String]
    ) -> FieldType? {
        var parts = TypeParts()
        let errorsBefore = diagnostics.items.count
        if let items = reader.sequence("fields", into: &diagnostics) {
            var seen: [String: SourceLocation] = [:]
            parts.fields = items.enumerated().compactMap { index, item in
                readField(
                    item, role: .field, path: "\(reader.childPath("fields")).\(index)", seen: &seen, within: within)
            }
            if items.isEmpty {
                error(
                    .invalidFieldType, "a record needs at least one field", at: reader.mapping["fields"]?.location,
                    path: reader.childPath("fields"))
            }
        }
        parts.symbols = readSymbols(&reader)
        parts.scale = reader.integer("scale", in: 0...18, into: &diagnostics)
        guard let node = reader.node("type") else {
            if defaultType == nil {
                error(
                    .missingKey, "missing key 'type' in '\(reader.path)'", at: reader.location,
                    path: reader.childPath("type"),
                    hint: "known types: \(TypeSyntax.builtInNames.joined(separator: ", "))")
            }
            refuseUnused(parts, reader, of: "a field without 'type'")
            return defaultType
        }
        guard let text = readString(node, path: reader.childPath("type"), into: &diagnostics) else { return nil }
        let type = resolve(text, at: node.location, path: reader.childPath("type"), parts: &parts, within: within)
        if type != nil { refuseUnused(parts, reader, of: "type '\(text)'") }
        let isWrong = diagnostics.items[errorsBefore...].contains { $0.severity == .error }
        return isWrong ? nil : type
    }

    private mutating func readSymbols(_ reader: inout MappingReader) -> [String]? {
        guard let items = reader.strings("symbols", into: &diagnostics) else { return nil }
        checkSymbols(items.map { ($0.text, $0.location) }, path: reader.childPath("symbols"))
        return items.map(\.text)
    }

    mutating func checkSymbols(_ symbols: [(text: String, location: SourceLocation)], path: String) {
        var seen: [String: SourceLocation] = [:]
        for symbol in symbols {
            if !NameRule.isIdentifier(symbol.text) {
                error(
                    .invalidName, "'\(symbol.text)' cannot be a symbol of an enum", at: symbol.location, path: path,
                    hint: NameRule.hint)
            }
            if let first = seen.updateValue(symbol.location, forKey: symbol.text) {
                error(
                    .duplicateName, "the symbol '\(symbol.text)' is listed twice", at: symbol.location, path: path,
                    notes: [.init("the first one is here", at: first)])
            }
        }
    }

    private mutating func refuseUnused(_ parts: TypeParts, _ reader: MappingReader, of what: String) {
        let given = [("fields", parts.fields != nil), ("symbols", parts.symbols != nil), ("scale", parts.scale != nil)]
        for (key, isGiven) in given where isGiven && !parts.used.contains(key) {
            let owner = ["fields": "record", "symbols": "enum", "scale": "money"][key] ?? ""
            error(
                .conflictingKeys, "'\(key)' does not belong to \(what)", at: reader.mapping.entry(key)?.keyLocation,
                path: reader.childPath(key), hint: "'\(key)' goes with type: \(owner)")
        }
    }

    private mutating func resolve(
        _ text: String, at location: SourceLocation, path: String, parts: inout TypeParts, within: [String]
    ) -> FieldType? {
        guard let syntax = TypeSyntax(text) else {
            error(
                .invalidFieldType, "'\(text)' is not a type", at: location, path: path,
                hint: "write string, decimal(10,2), array<string>, map<long>, record with fields, …")
            return nil
        }
        return resolve(syntax, at: location, path: path, parts: &parts, within: within, isInside: false)
    }

    private mutating func resolve(
        _ syntax: TypeSyntax, at location: SourceLocation, path: String, parts: inout TypeParts, within: [String],
        isInside: Bool
    ) -> FieldType? {
        switch syntax {
        case .array(let inner):
            return resolve(inner, at: location, path: path, parts: &parts, within: within, isInside: true)
                .map { .array($0) }
        case .map(let inner):
            return resolve(inner, at: location, path: path, parts: &parts, within: within, isInside: true)
                .map { .map($0) }
        case .decimal(let precision, let scale):
            guard (1...38).contains(precision), (0...precision).contains(scale) else {
                error(
                    .invalidFieldType, "decimal(\(precision),\(scale)) is out of range", at: location, path: path,
                    hint: "decimal(p,s) has 1 to 38 digits p, of which 0 to p stand after the point")
                return nil
            }
            return .decimal(precision: precision, scale: scale)
        case .name(let name):
            return resolve(name: name, at: location, path: path, parts: &parts, within: within, isInside: isInside)
        }
    }

    private mutating func resolve(
        name: String, at location: SourceLocation, path: String, parts: inout TypeParts, within: [String],
        isInside: Bool
    ) -> FieldType? {
        func invalid(_ message: String, hint: String) -> FieldType? {
            error(.invalidFieldType, message, at: location, path: path, hint: hint)
            return nil
        }
        switch name {
        case "string": return .string
        case "int": return .int
        case "long": return .long
        case "float": return .float
        case "double": return .double
        case "boolean": return .boolean
        case "bytes": return .bytes
        case "date": return .date
        case "timestamp", "datetime": return .timestamp
        case "uuid": return .uuid
        case "decimal": return invalid("a decimal needs its digits", hint: "write decimal(10,2)")
        case "array", "map": return invalid("'\(name)' needs the type of what it holds", hint: "write \(name)<string>")
        case "money":
            parts.used.insert("scale")
            if isInside {
                return invalid(
                    "money cannot stand inside an array or a map",
                    hint: "use decimal(18,2), or a record with a money field")
            }
            return .money(scale: parts.scale ?? 2)
        case "enum":
            parts.used.insert("symbols")
            guard let symbols = parts.symbols, !symbols.isEmpty else {
                return invalid("an enum needs its symbols", hint: "add symbols: [red, green]")
            }
            return .enumeration(symbols: symbols)
        case "record":
            parts.used.insert("fields")
            guard let fields = parts.fields else {
                return invalid("a record needs its fields", hint: "add fields: [{name: country, type: string}]")
            }
            return .record(fields)
        default:
            if typeNodes[name] != nil {
                let type = namedType(name, within: within, at: location)
                if isInside, case .money? = type {
                    return invalid("money cannot stand inside an array or a map", hint: "use decimal(18,2)")
                }
                return type
            }
            let known = TypeSyntax.builtInNames + typeNodes.keys.sorted()
            error(
                .unknownFieldType, "unknown type '\(name)'", at: location, path: path,
                hint: hint(for: name, among: known, "types"))
            return nil
        }
    }
}
