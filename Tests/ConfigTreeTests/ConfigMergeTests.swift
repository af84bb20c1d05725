import ConfigTree
import Diagnostics
import Testing

@Suite("Merging layers")
struct ConfigMergeTests {
    /// What a tree means, without places: the naive side of the comparison.
    indirect enum Plain: Equatable {
        case null
        case text(String)
        case list([String])
        case map([String: Plain])

        static func merge(_ base: Plain, _ over: Plain) -> Plain {
            guard case .map(var result) = base, case .map(let layer) = over else { return over }
            for (key, value) in layer {
                switch (result[key], value) {
                case (nil, _), (.null?, _): result[key] = value
                case (_?, .null): result[key] = nil
                case (let below?, _): result[key] = merge(below, value)
                }
            }
            return .map(result)
        }
    }

    private func node(_ plain: Plain, layer: Int) -> ConfigNode {
        let place = SourceLocation(file: "layer\(layer)", line: 1, column: 1)
        func make(_ value: ConfigValue) -> ConfigNode { ConfigNode(value, at: place, layer: ConfigLayer("\(layer)")) }
        switch plain {
        case .null: return make(.scalar(ConfigScalar("null")))
        case .text(let text): return make(.scalar(ConfigScalar(text, isPlain: false)))
        case .list(let items): return make(.sequence(items.map { node(.text($0), layer: layer) }))
        case .map(let map):
            let entries = map.sorted { $0.key < $1.key }.map {
                ConfigMapping.Entry(key: $0.key, keyLocation: place, node: node($0.value, layer: layer))
            }
            return make(.mapping(ConfigMapping(entries)))
        }
    }

    private func plain(_ node: ConfigNode) -> Plain {
        if node.isNull { return .null }
        switch node.value {
        case .scalar(let scalar): return .text(scalar.text)
        case .sequence(let items): return .list(items.compactMap { $0.scalar?.text })
        case .mapping(let map):
            return .map(Dictionary(uniqueKeysWithValues: map.entries.map { ($0.key, plain($0.node)) }))
        }
    }

    private func random(_ generator: inout SplitMix, depth: Int) -> Plain {
        switch generator.next() % (depth == 0 ? 3 : 6) {
        case 0: return .null
        case 1: return .text("t\(generator.next() % 9)")
        case 2: return .list(["l\(generator.next() % 9)"])
        default: return randomMap(&generator, depth: depth)
        }
    }

    private func randomMap(_ generator: inout SplitMix, depth: Int) -> Plain {
        var map: [String: Plain] = [:]
        for key in ["a", "b", "c"] where generator.next() % 3 > 0 { map[key] = random(&generator, depth: depth - 1) }
        return .map(map)
    }

    @Test("equals a naive merge of random layers", arguments: 0..<100)
    func reference(seed: UInt64) {
        var generator = SplitMix(state: seed)
        let layers = (0..<4).map { _ in randomMap(&generator, depth: 3) }
        var merge = ConfigMerge(node(layers[0], layer: 0))
        for (index, layer) in layers.enumerated().dropFirst() { merge.apply(node(layer, layer: index)) }
        #expect(plain(merge.tree) == layers.dropFirst().reduce(layers[0], Plain.merge), "seed \(seed)")
    }

    @Test("a node knows every value that it replaced, the most recent first")
    func provenance() {
        var merge = ConfigMerge(node(.map(["a": .map(["b": .text("0")])]), layer: 0))
        merge.apply(node(.map(["a": .map(["b": .text("1")])]), layer: 1))
        merge.apply(node(.map(["a": .map(["c": .text("x")])]), layer: 2))
        merge.apply(node(.map(["a": .map(["b": .text("3")])]), layer: 3))
        let value = merge.tree.node(at: "a.b")
        #expect(value?.layer.name == "3")
        #expect(value?.overridden.map(\.layer.name) == ["1", "0"])
        #expect(value?.overridden.allSatisfy(\.overridden.isEmpty) == true)
        #expect(merge.tree.node(at: "a")?.overridden.map(\.layer.name) == ["2", "1", "0"])
    }

    @Test("a null removes a key of an earlier layer, and the removal is known")
    func removal() {
        var merge = ConfigMerge(node(.map(["a": .text("0"), "b": .text("0")]), layer: 0))
        merge.apply(node(.map(["a": .null, "new": .null]), layer: 1))
        #expect(merge.tree.mapping?.keys == ["b", "new"])
        #expect(merge.removals.map(\.path.description) == ["a"])
        #expect(merge.removals.first?.by.layer.name == "1")
    }

    @Test("a null that is a value stays")
    func keptNull() {
        var merge = ConfigMerge(node(.map(["default": .text("0")]), layer: 0)) { $0 == ["default"] }
        merge.apply(node(.map(["default": .null]), layer: 1))
        #expect(merge.tree.node(at: "default")?.isNull == true)
    }
}

struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
