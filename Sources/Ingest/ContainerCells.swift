internal import AvroSchema
internal import DataPath

/// How the records of one container file's schema become cells: a tree of steps in a flat table, compiled once.
///
/// A wanted name is a dotted path; of a nested record or map only the wanted members become cells. What nothing wants is
/// stepped over.
struct ContainerCells {
    enum Action: UInt8 {
        /// `argument` is the node of what is stepped over.
        case skip
        /// The value is not of a kind that has the wanted members.
        case plainValue
        /// Its own slot and those of its members become null cells.
        case null
        case boolean, int, long, float, double, string, bytes, date, milliseconds, microseconds
        /// `argument` bytes.
        case fixed
        /// `argument` is the node of the enum.
        case symbol
        /// `argument` is the number of bytes, -1 for a length before them; `scale`.
        case decimal
        /// JSON text of the node `argument`, as an object or an array.
        case object, array
        /// The children in their order.
        case record
        /// The child that the branch names.
        case union
        /// The children are the wanted keys, then what steps over a value; `argument` is the node.
        case map
    }

    struct Step {
        var action: Action
        var slot = -1
        var first = 0
        var count = 0
        var argument = 0
        var scale = 0
    }

    private(set) var steps: [Step] = []
    /// Children of records, unions and maps; slots of nulls.
    private(set) var children: [Int] = []
    /// In step with ``children``: the keys of maps.
    private(set) var keys: [[UInt8]] = []
    private(set) var nodes = AvroNodes()
    private(set) var root = 0
    /// Fields that nothing wants.
    private(set) var ignoredColumns: [String] = []
    /// The names of all fields, those of nested records as dotted paths too.
    private(set) var fieldNames: [String] = []
    private let paths: [String]

    init(record: AvroRecord, paths: [String]) {
        self.paths = paths
        nodes.showsMilliseconds = true
        fieldNames = Self.names(record, prefix: "")
        root = self.record(record, prefix: "")
    }

    private static func names(_ record: AvroRecord, prefix: String) -> [String] {
        record.fields.flatMap { field -> [String] in
            let path = prefix + field.name
            var inner: [AvroRecord] = []
            switch field.type {
            case .record(let record): inner = [record]
            case .union(let branches): inner = branches.compactMap(\.record)
            default: break
            }
            return [path] + inner.flatMap { names($0, prefix: "\(path).") }
        }
    }

    private func isWanted(below path: String) -> Bool { paths.contains { $0.hasPrefix(path + ".") } }

    private mutating func add(_ step: Step) -> Int {
        steps.append(step)
        return steps.count - 1
    }

    private mutating func addParent(_ action: Action, _ added: [Int], names: [String] = [], argument: Int = 0) -> Int {
        let step = Step(action: action, first: children.count, count: added.count, argument: argument)
        children += added
        keys += added.indices.map { $0 < names.count ? Array(names[$0].utf8) : [] }
        return add(step)
    }

    private mutating func record(_ record: AvroRecord, prefix: String) -> Int {
        addParent(.record, record.fields.map { value($0.type, prefix + $0.name) })
    }

    private mutating func skip(_ type: AvroSchema) -> Int { add(Step(action: .skip, argument: nodes.add(type))) }

    /// The step of a field, or of a branch of one.
    private mutating func value(_ type: AvroSchema, _ path: String) -> Int {
        let slot = paths.firstIndex(of: path) ?? -1
        let hasWantedMembers = isWanted(below: path)
        guard slot >= 0 || hasWantedMembers else {
            if !ignoredColumns.contains(path) { ignoredColumns.append(path) }
            return skip(type)
        }
        switch type {
        case .union(let branches): return addParent(.union, branches.map { value($0, path) })
        case .null:
            let slots = paths.indices.filter { paths[$0] == path || paths[$0].hasPrefix(path + ".") }
            return addParent(.null, slots)
        case .record(let inner):
            if slot < 0 { return record(inner, prefix: path + ".") }
        case .map(let element):
            if slot < 0 { return map(element, path) }
        default:
            if slot < 0 { return add(Step(action: .plainValue, argument: nodes.add(type))) }
        }
        return add(leaf(type, slot))
    }

    private mutating func map(_ element: AvroSchema, _ path: String) -> Int {
        let members = paths.compactMap { wanted -> String? in
            guard wanted.hasPrefix(path + ".") else { return nil }
            return wanted.dropFirst(path.count + 1).split(separator: ".").first.map(String.init)
        }
        var names: [String] = []
        for member in members where !names.contains(member) { names.append(member) }
        let added = names.map { value(element, "\(path).\($0)") } + [skip(element)]
        return addParent(.map, added, names: names, argument: nodes.add(.map(element)))
    }

    private mutating func leaf(_ type: AvroSchema, _ slot: Int) -> Step {
        var step = Step(action: .null, slot: slot)
        switch type {
        case .boolean: step.action = .boolean
        case .int: step.action = .int
        case .long: step.action = .long
        case .float: step.action = .float
        case .double: step.action = .double
        case .string: step.action = .string
        case .bytes: step.action = .bytes
        case .fixed(_, _, let size): (step.action, step.argument) = (.fixed, size)
        case .enumeration: (step.action, step.argument) = (.symbol, nodes.add(type))
        case .logical(let base, let logical):
            switch logical {
            case .date: step.action = .date
            case .timestampMillis: step.action = .milliseconds
            case .timestampMicros: step.action = .microseconds
            case .uuid: return leaf(base, slot)
            case .decimal(_, let scale):
                step.action = .decimal
                step.scale = scale
                if case .fixed(_, _, let size) = base { step.argument = size } else { step.argument = -1 }
            }
        case .array: (step.action, step.argument) = (.array, nodes.add(type))
        case .record, .map: (step.action, step.argument) = (.object, nodes.add(type))
        case .null, .union: break
        }
        return step
    }
}
