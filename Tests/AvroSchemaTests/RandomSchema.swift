/// A schema that can be made at random, changed a little and printed.
indirect enum RandomSchema {
    struct Field {
        var name: String
        var aliases: [String] = []
        var type: RandomSchema
        /// JSON text.
        var defaultValue: String?
    }

    case primitive(String)
    case record(name: String, aliases: [String], fields: [Field])
    case enumeration(name: String, aliases: [String], symbols: [String], defaultSymbol: String?)
    case fixed(name: String, aliases: [String], size: Int)
    case array(RandomSchema)
    case map(RandomSchema)
    case union([RandomSchema])

    static let primitives = ["boolean", "int", "long", "float", "double", "string", "bytes", "null"]

    var json: String {
        func list(_ texts: [String]) -> String { "[" + texts.map { "\"\($0)\"" }.joined(separator: ",") + "]" }
        switch self {
        case .primitive(let name): return "\"\(name)\""
        case .record(let name, let aliases, let fields):
            let texts = fields.map { field in
                "{\"name\":\"\(field.name)\",\"type\":\(field.type.json)"
                    + (field.defaultValue.map { ",\"default\":\($0)" } ?? "")
                    + (field.aliases.isEmpty ? "" : ",\"aliases\":\(list(field.aliases))") + "}"
            }
            return "{\"type\":\"record\",\"name\":\"\(name)\",\"aliases\":\(list(aliases)),\"fields\":["
                + texts.joined(separator: ",") + "]}"
        case .enumeration(let name, let aliases, let symbols, let defaultSymbol):
            return "{\"type\":\"enum\",\"name\":\"\(name)\",\"aliases\":\(list(aliases)),\"symbols\":\(list(symbols))"
                + (defaultSymbol.map { ",\"default\":\"\($0)\"" } ?? "") + "}"
        case .fixed(let name, let aliases, let size):
            return "{\"type\":\"fixed\",\"name\":\"\(name)\",\"aliases\":\(list(aliases)),\"size\":\(size)}"
        case .array(let items): return "{\"type\":\"array\",\"items\":\(items.json)}"
        case .map(let values): return "{\"type\":\"map\",\"values\":\(values.json)}"
        case .union(let branches): return "[" + branches.map(\.json).joined(separator: ",") + "]"
        }
    }
}

/// Makes and changes schemas; the same seed makes the same.
struct SchemaMaker: RandomNumberGenerator {
    private var state: UInt64
    private var count = 0

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        // SplitMix64.
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    private mutating func pick(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    private mutating func chance(_ percent: Int) -> Bool { pick(100) < percent }

    /// A name that no other type or field of this maker has; the letter says the kind.
    private mutating func name(_ letter: String) -> String {
        count += 1
        return "\(letter)\(count)"
    }

    mutating func schema(depth: Int = 0) -> RandomSchema {
        let limit = depth >= 3 ? 8 : 15
        switch pick(limit) {
        case 0..<6: return .primitive(RandomSchema.primitives[pick(7)])
        case 6: return .enumeration(name: name("E"), aliases: [], symbols: symbols(), defaultSymbol: nil)
        case 7: return .fixed(name: name("F"), aliases: [], size: 1 + pick(8))
        case 8: return .array(schema(depth: depth + 1))
        case 9: return .map(schema(depth: depth + 1))
        case 10, 11: return union(depth: depth)
        default: return record(depth: depth)
        }
    }

    mutating func record(depth: Int = 0) -> RandomSchema {
        let fields = (0..<1 + pick(4)).map { _ in field(depth: depth) }
        return .record(name: name("R"), aliases: [], fields: fields)
    }

    private mutating func symbols() -> [String] {
        let all = ["A", "B", "C", "D", "E"]
        return Array(all.shuffled(using: &self).prefix(1 + pick(4)))
    }

    private mutating func field(depth: Int) -> RandomSchema.Field {
        let type = schema(depth: depth + 1)
        return RandomSchema.Field(name: name("f"), type: type, defaultValue: chance(40) ? value(of: type) : nil)
    }

    private mutating func union(depth: Int) -> RandomSchema {
        var branches: [RandomSchema] = [.primitive("null")]
        for _ in 0..<1 + pick(3) { add(to: &branches, depth: depth + 1) }
        if branches.count > 1, chance(30) { branches.removeFirst() }
        return .union(branches)
    }

    /// Adds a branch if it may stand beside the others.
    private mutating func add(to branches: inout [RandomSchema], depth: Int) {
        let new = schema(depth: depth)
        if case .union = new { return }
        func kind(_ schema: RandomSchema) -> String {
            switch schema {
            case .primitive(let name): name
            case .record(let name, _, _), .enumeration(let name, _, _, _), .fixed(let name, _, _): name
            case .array: "array"
            case .map: "map"
            case .union: "union"
            }
        }
        if !branches.contains(where: { kind($0) == kind(new) }) { branches.append(new) }
    }

    /// A default; nil where none is easy to write.
    private func value(of schema: RandomSchema) -> String? {
        switch schema {
        case .primitive("null"): return "null"
        case .primitive("boolean"): return "true"
        case .primitive("string"), .primitive("bytes"): return "\"x\""
        case .primitive("float"), .primitive("double"): return "1.5"
        case .primitive: return "7"
        case .enumeration(_, _, let symbols, _): return "\"\(symbols[0])\""
        case .fixed(_, _, let size): return "\"\(String(repeating: "x", count: size))\""
        case .array: return "[]"
        case .map: return "{}"
        case .union(let branches): return value(of: branches[0])
        case .record: return nil
        }
    }

    /// The schema with one small change somewhere.
    mutating func changed(_ schema: RandomSchema) -> RandomSchema {
        if chance(8) { return otherType(schema) }
        switch schema {
        case .primitive: return otherType(schema)
        case .array(let items): return .array(changed(items))
        case .map(let values): return .map(changed(values))
        case .fixed(let name, let aliases, let size):
            return chance(60)
                ? .fixed(name: name, aliases: aliases, size: size + 1) : renamed(schema)
        case .enumeration(let name, let aliases, var symbols, let defaultSymbol):
            switch pick(5) {
            case 0 where symbols.count > 1, 1 where symbols.count > 1:
                let gone = symbols.remove(at: pick(symbols.count))
                let kept = chance(50) ? symbols[0] : defaultSymbol == gone ? nil : defaultSymbol
                return .enumeration(name: name, aliases: aliases, symbols: symbols, defaultSymbol: kept)
            case 2: return renamed(schema)
            default:
                symbols.insert(self.name("S"), at: pick(symbols.count + 1))
                return .enumeration(name: name, aliases: aliases, symbols: symbols, defaultSymbol: defaultSymbol)
            }
        case .union(var branches):
            switch pick(5) {
            case 0 where branches.count > 1: branches.remove(at: pick(branches.count))
            case 1: branches.shuffle(using: &self)
            case 2: add(to: &branches, depth: 2)
            default:
                let index = pick(branches.count)
                if case .primitive = branches[index] { return branches[index] }
                branches[index] = changed(branches[index])
                if case .primitive = branches[index] { return branches[index] }
                if case .union = branches[index] { return branches[index] }
            }
            return .union(branches)
        case .record(let name, let aliases, var fields):
            switch pick(9) {
            case 0: fields.insert(field(depth: 2), at: pick(fields.count + 1))
            case 1 where fields.count > 1: fields.remove(at: pick(fields.count))
            case 2: fields.shuffle(using: &self)
            case 3:
                let index = pick(fields.count)
                if chance(60) { fields[index].aliases = [fields[index].name] }
                fields[index].name = self.name("f")
            case 4: return renamed(schema)
            default:
                let index = pick(fields.count)
                fields[index].type = changed(fields[index].type)
                if fields[index].defaultValue != nil { fields[index].defaultValue = value(of: fields[index].type) }
            }
            return .record(name: name, aliases: aliases, fields: fields)
        }
    }

    private mutating func renamed(_ schema: RandomSchema) -> RandomSchema {
        let isAliased = chance(50)
        switch schema {
        case .record(let name, _, let fields):
            return .record(name: self.name("R"), aliases: isAliased ? [name] : [], fields: fields)
        case .enumeration(let name, _, let symbols, let defaultSymbol):
            return .enumeration(
                name: self.name("E"), aliases: isAliased ? [name] : [], symbols: symbols, defaultSymbol: defaultSymbol)
        case .fixed(let name, _, let size):
            return .fixed(name: self.name("F"), aliases: isAliased ? [name] : [], size: size)
        default: return schema
        }
    }

    private mutating func otherType(_ schema: RandomSchema) -> RandomSchema {
        if case .union = schema { return schema }
        if case .primitive("null") = schema { return .primitive("int") }
        switch pick(4) {
        case 0: return .union([.primitive("null"), schema])
        case 1: return self.schema(depth: 2)
        default: return .primitive(RandomSchema.primitives[pick(7)])
        }
    }
}
