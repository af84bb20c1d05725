import ConfigTree
import Diagnostics

/// The forms of `values:`: a list, a list of {value, weight}, a map from value to weight.
enum WeightedValueReader {
    /// Each value with its weight; a nil weight is one that cannot be read.
    static func items(_ node: ConfigNode) -> [(text: String, weight: Double?, location: SourceLocation)] {
        if let mapping = node.mapping {
            return mapping.entries.map { ($0.key, number($0.node), $0.keyLocation) }
        }
        return (node.sequence ?? []).map { item in
            if let scalar = item.scalar { return (scalar.text, item.isNull ? nil : 1, item.location) }
            guard let mapping = item.mapping, let value = mapping["value"]?.scalar,
                mapping.keys.allSatisfy({ $0 == "value" || $0 == "weight" })
            else { return ("", nil, item.location) }
            return (value.text, mapping["weight"].map { number($0) } ?? 1, item.location)
        }
    }

    private static func number(_ node: ConfigNode) -> Double? {
        switch node.scalar?.coreType {
        case .integer(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
}
