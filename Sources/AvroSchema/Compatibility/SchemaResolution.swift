/// One walk through a reader's and a writer's schema together.
struct SchemaResolution {
    private struct Pair: Hashable {
        var reader: Int
        var writer: Int
    }

    let reader: SchemaGraph
    let writer: SchemaGraph
    private(set) var findings: [SchemaFinding] = []
    /// Judged, or being judged further up: a type that contains itself is right if nothing else in it is wrong.
    private var seen: Set<Pair> = []

    init(reader: SchemaGraph, writer: SchemaGraph) {
        self.reader = reader
        self.writer = writer
    }

    private mutating func find(_ fact: SchemaFinding.Fact, _ path: String) {
        findings.append(SchemaFinding(path: path, fact: fact))
    }

    mutating func resolve(_ r: Int, _ w: Int, path: String) {
        guard seen.insert(Pair(reader: r, writer: w)).inserted else { return }
        if case .union(let branches) = writer.nodes[w].kind {
            // Every branch may come.
            for branch in branches {
                if let taker = taker(r, branch) {
                    resolve(taker, branch, path: path)
                } else {
                    find(.unreadableBranch(writer: writer.title(branch), reader: reader.title(r)), path)
                }
            }
            return
        }
        if case .union = reader.nodes[r].kind {
            if let taker = taker(r, w) {
                resolve(taker, w, path: path)
            } else {
                find(.noBranch(writer: writer.title(w), reader: reader.title(r)), path)
            }
            return
        }
        resolveSimple(r, w, path: path)
    }

    /// The reader's type that takes a writer's branch: "the first schema in the reader's union that matches".
    private func taker(_ r: Int, _ w: Int) -> Int? {
        guard case .union(let branches) = reader.nodes[r].kind else { return matches(r, w) ? r : nil }
        return branches.first { matches($0, w) }
    }

    /// Neither is a union.
    private mutating func resolveSimple(_ r: Int, _ w: Int, path: String) {
        switch (reader.nodes[r].kind, writer.nodes[w].kind) {
        case (.array(let items), .array(let written)): resolve(items, written, path: path + "[]")
        case (.map(let values), .map(let written)): resolve(values, written, path: path + "{}")
        case (.record(let fields), .record(let written)):
            if !checkName("record", r, w, path) { return }
            resolve(fields, written, path: path)
        case (.enumeration(let symbols, let defaultSymbol), .enumeration(let written, _)):
            let missing = written.filter { !symbols.contains($0) }
            if checkName("enum", r, w, path), !missing.isEmpty, defaultSymbol == nil {
                find(.missingSymbols(name: reader.nodes[r].fullName ?? "", symbols: missing), path)
            }
        case (.fixed(let size), .fixed(let written)):
            if checkName("fixed", r, w, path), size != written {
                find(.otherSize(name: reader.nodes[r].fullName ?? "", reader: size, writer: written), path)
            }
        case (let kind, let written):
            if !Self.takes(kind, written) {
                find(.otherType(reader: reader.title(r), writer: writer.title(w)), path)
            }
        }
    }

    private mutating func resolve(_ fields: [SchemaGraph.Field], _ written: [SchemaGraph.Field], path: String) {
        for field in fields {
            let fieldPath = path.isEmpty ? field.name : "\(path).\(field.name)"
            let source =
                written.first { $0.name == field.name } ?? written.first { field.aliases.contains($0.name) }
            if let source {
                resolve(field.type, source.type, path: fieldPath)
            } else if field.defaultValue == nil {
                find(.missingDefault(field: field.name), fieldPath)
            }
        }
    }

    private mutating func checkName(_ kind: String, _ r: Int, _ w: Int, _ path: String) -> Bool {
        if namesMatch(r, w) { return true }
        find(
            .otherName(kind: kind, reader: reader.nodes[r].fullName ?? "", writer: writer.nodes[w].fullName ?? ""), path
        )
        return false
    }

    /// Unqualified names count; an alias of the reader's is a full name.
    private func namesMatch(_ r: Int, _ w: Int) -> Bool {
        guard let name = reader.nodes[r].fullName, let written = writer.nodes[w].fullName else { return false }
        return SchemaGraph.split(name).name == SchemaGraph.split(written).name
            || reader.nodes[r].aliases.contains(written)
    }

    /// The specification's "match", which chooses a union's branch: it looks into arrays and maps, not into records.
    private func matches(_ r: Int, _ w: Int) -> Bool {
        switch (reader.nodes[r].kind, writer.nodes[w].kind) {
        case (.union, _), (_, .union): true
        case (.array(let items), .array(let written)): matches(items, written)
        case (.map(let values), .map(let written)): matches(values, written)
        case (.record, .record), (.enumeration, .enumeration): namesMatch(r, w)
        case (.fixed(let size), .fixed(let written)): size == written && namesMatch(r, w)
        case (let kind, let written): Self.takes(kind, written)
        }
    }

    /// Primitive types: the same, or promoted.
    private static func takes(_ reader: SchemaGraph.Kind, _ writer: SchemaGraph.Kind) -> Bool {
        switch (reader, writer) {
        case (.null, .null), (.boolean, .boolean), (.int, .int), (.long, .long), (.float, .float), (.double, .double),
            (.bytes, .bytes), (.string, .string), (.long, .int), (.float, .int), (.double, .int), (.float, .long),
            (.double, .long), (.double, .float), (.bytes, .string), (.string, .bytes):
            true
        default: false
        }
    }
}
