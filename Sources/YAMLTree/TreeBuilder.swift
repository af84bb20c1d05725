import ConfigTree
import Diagnostics

/// Builds the tree from libyaml's events.
struct TreeBuilder {
    /// A finished node and what it costs to use it again.
    struct Built {
        var node: ConfigNode
        /// Nodes in it, itself included, aliases expanded.
        var nodeCount: Int
        /// Levels of maps and lists in it.
        var height: Int
    }

    private enum Anchor {
        case open(SourceLocation)
        case done(Built)
    }

    /// The parse cannot go on; the reason is among the diagnostics.
    struct Stop: Error {}

    private(set) var diagnostics = Diagnostics()
    let source: YAMLSource
    let layer: ConfigLayer
    private let parser: EventParser
    private var anchors: [String: Anchor] = [:]
    private var aliasNodes = 0

    init(parser: EventParser, source: YAMLSource, layer: ConfigLayer) {
        self.parser = parser
        self.source = source
        self.layer = layer
    }

    /// The tree; nil, or incomplete, when errors were found.
    mutating func build() -> ConfigNode? {
        do throws(Stop) {
            return try buildDocument()
        } catch {
            return nil
        }
    }

    private mutating func buildDocument() throws(Stop) -> ConfigNode {
        var result: ConfigNode?
        while true {
            let event = try next()
            switch event.kind {
            case .streamStart, .documentEnd: continue
            case .documentStart:
                if result != nil {
                    throw stop(
                        .secondDocument, "a second document begins here", at: place(event),
                        hint: "a configuration file holds one document; put the second one into a file of its own")
                }
                result = try buildNode(try next(), depth: 1).node
            default:
                let start = SourceLocation(file: source.file, line: 1, column: 1)
                let empty = ConfigNode(.mapping(ConfigMapping()), at: start, layer: layer)
                guard let result else { return empty }
                if let scalar = result.scalar, scalar.isPlain, scalar.text.isEmpty { return empty }
                return result
            }
        }
    }

    // MARK: Nodes

    mutating func buildNode(_ event: YAMLEvent, depth: Int) throws(Stop) -> Built {
        if case .alias(let name) = event.kind { return try expandAlias(name, event, depth: depth) }
        if let anchor = event.anchor { anchors[anchor] = .open(place(event)) }
        let built: Built
        switch event.kind {
        case .scalar(let text, let style):
            built = Built(node: scalarNode(event, text: text, style: style), nodeCount: 1, height: 0)
        case .sequenceStart: built = try buildSequence(event, depth: depth)
        default: built = try buildMapping(event, depth: depth)
        }
        if let anchor = event.anchor { anchors[anchor] = .done(built) }
        return built
    }

    private mutating func buildSequence(_ event: YAMLEvent, depth: Int) throws(Stop) -> Built {
        var location = try enter(event, depth: depth, tag: "seq")
        var items: [ConfigNode] = []
        var nodeCount = 1
        var height = 0
        while true {
            let next = try next()
            if case .sequenceEnd = next.kind {
                close(&location, event, at: next)
                return Built(
                    node: ConfigNode(.sequence(items), at: location, layer: layer), nodeCount: nodeCount,
                    height: height + 1)
            }
            let item = try buildNode(next, depth: depth + 1)
            items.append(item.node)
            nodeCount += item.nodeCount
            height = max(height, item.height)
        }
    }

    private mutating func buildMapping(_ event: YAMLEvent, depth: Int) throws(Stop) -> Built {
        var location = try enter(event, depth: depth, tag: "map")
        var collector = MappingCollector()
        var nodeCount = 1
        var height = 0
        while true {
            let keyEvent = try next()
            if case .mappingEnd = keyEvent.kind {
                close(&location, event, at: keyEvent)
                let mapping = collector.mapping()
                return Built(
                    node: ConfigNode(.mapping(mapping), at: location, layer: layer), nodeCount: nodeCount,
                    height: height + 1)
            }
            let key = try buildNode(keyEvent, depth: depth + 1)
            let value = try buildNode(try next(), depth: depth + 1)
            nodeCount += 1 + value.nodeCount
            height = max(height, value.height)
            collector.add(key: key.node, value: value.node, into: &diagnostics)
        }
    }

    private mutating func expandAlias(_ name: String, _ event: YAMLEvent, depth: Int) throws(Stop) -> Built {
        var location = place(event)
        location.endColumn = location.column + name.unicodeScalars.count + 1
        switch anchors[name] {
        case nil:
            let near = nearestName(to: name, among: anchors.keys.sorted()).map { "did you mean '*\($0)'?" }
            throw stop(
                .unknownAnchor, "no anchor '&\(name)' stands before this alias", at: location,
                hint: near ?? "define it before its use: key: &\(name) value")
        case .open(let start):
            throw stop(
                .cyclicAlias, "the alias '*\(name)' stands inside the value that it names", at: location,
                notes: [.init("'&\(name)' begins here", at: start)],
                hint: "a configuration value cannot contain itself")
        case .done(let built):
            aliasNodes += built.nodeCount
            guard aliasNodes <= YAMLTree.aliasNodeLimit else {
                throw stop(
                    .aliasBomb, "the aliases of this file expand to more than \(YAMLTree.aliasNodeLimit) nodes",
                    at: location, hint: "use fewer aliases inside of what aliases name")
            }
            if depth + built.height - 1 > YAMLTree.depthLimit { throw tooDeep(at: location) }
            return built
        }
    }

    private mutating func scalarNode(_ event: YAMLEvent, text: String, style: YAMLEvent.Style) -> ConfigNode {
        var location = place(event)
        let isOneLine = event.end.line == location.line
        let length = text.unicodeScalars.count
        var offset: Int?
        if isOneLine, style != .block {
            let width = event.end.column - location.column
            location.endColumn = location.column + max(1, width)
            // Escapes are longer than what they stand for, so equal widths mean that there is none.
            if style == .plain { offset = width == length ? 0 : nil } else if width == length + 2 { offset = 1 }
        } else if style != .block {
            location.endColumn = max(location.column + 1, source.line(location.line).count + 1)
        }
        var scalar = ConfigScalar(text, isPlain: style == .plain, textColumnOffset: offset)
        if let tag = event.tag { apply(tag, to: &scalar, at: location) }
        return ConfigNode(.scalar(scalar), at: location, layer: layer)
    }

    /// Reports an unknown tag; a known one decides how the scalar is typed. The text is not quoted: it may be a secret.
    private mutating func apply(_ tag: String, to scalar: inout ConfigScalar, at location: SourceLocation) {
        let prefix = "tag:yaml.org,2002:"
        let name = tag == "!" ? "str" : tag.hasPrefix(prefix) ? String(tag.dropFirst(prefix.count)) : tag
        var typed = scalar
        typed.isPlain = true
        let fits: Bool
        switch (name, typed.coreType) {
        case ("str", _):
            scalar.isPlain = false
            return
        case ("int", .integer), ("float", .integer), ("float", .double), ("bool", .boolean), ("null", .null):
            fits = true
        case ("int", _), ("float", _), ("bool", _), ("null", _): fits = VariableText.containsVariable(scalar.text)
        default: return reportUnknownTag(tag, at: location)
        }
        scalar = typed
        if !fits {
            diagnostics.error(
                .tagMismatch, "the value is not what its tag '!!\(name)' says", at: location,
                hint: "remove the tag, or write a value of that type")
        }
    }

    private mutating func reportUnknownTag(_ tag: String, at location: SourceLocation) {
        let prefix = "tag:yaml.org,2002:"
        let shown = tag.hasPrefix(prefix) ? "!!" + tag.dropFirst(prefix.count) : tag
        diagnostics.error(
            .unknownTag, "the tag '\(shown)' is not known here", at: location,
            hint: "remove it; accepted are !!str, !!int, !!float, !!bool, !!null, !!map and !!seq")
    }

    // MARK: Places and limits

    private func place(_ event: YAMLEvent) -> SourceLocation {
        var mark = event.start
        if event.anchor != nil || event.tag != nil {
            let content = source.skipProperties(line: mark.line, column: mark.column)
            // An empty scalar ends where its properties end; what follows is not its content.
            if (content.line, content.column) <= (event.end.line, event.end.column) || isCollection(event) {
                mark = YAMLMark(line: content.line, column: content.column)
            }
        }
        return SourceLocation(file: source.file, line: mark.line, column: mark.column)
    }

    private func isCollection(_ event: YAMLEvent) -> Bool {
        switch event.kind {
        case .sequenceStart, .mappingStart: true
        default: false
        }
    }

    /// Checks depth and tag of a map or list that begins, and gives its place.
    private mutating func enter(_ event: YAMLEvent, depth: Int, tag name: String) throws(Stop) -> SourceLocation {
        let location = place(event)
        if depth > YAMLTree.depthLimit { throw tooDeep(at: location) }
        if let tag = event.tag, tag != "!", tag != "tag:yaml.org,2002:\(name)" { reportUnknownTag(tag, at: location) }
        return location
    }

    /// A flow collection on one line is underlined whole.
    private func close(_ location: inout SourceLocation, _ event: YAMLEvent, at end: YAMLEvent) {
        if event.isFlow, end.end.line == location.line { location.endColumn = end.end.column }
    }

    private mutating func tooDeep(at location: SourceLocation) -> Stop {
        stop(
            .tooDeep, "maps and lists nest deeper than \(YAMLTree.depthLimit) levels", at: location,
            hint: "make the structure flatter")
    }

    private mutating func stop(
        _ code: DiagnosticCode, _ message: String, at location: SourceLocation, notes: [Diagnostic.Note] = [],
        hint: String? = nil
    ) -> Stop {
        diagnostics.error(code, message, at: location, notes: notes, hint: hint)
        return Stop()
    }

    private mutating func next() throws(Stop) -> YAMLEvent {
        do throws(YAMLFailure) {
            return try parser.next()
        } catch {
            diagnostics.add(error.diagnostic(in: source))
            throw Stop()
        }
    }
}
