import ConfigTree
import Diagnostics
import PluginAPI

extension DomainReader {
    /// `generate:` of a field: a provider's name, or {type: uniform, min, max, null_share} and its like.
    mutating func readGenerator(_ node: ConfigNode, _ field: Field, path: String) -> GeneratorSpec? {
        if node.mapping == nil {
            guard let name = readString(node, path: path, into: &diagnostics) else { return nil }
            return provider(name, at: node.location, path: path)
        }
        guard var reader = MappingReader(node, path: path, into: &diagnostics) else { return nil }
        let types = ["uniform", "normal", "lognormal", "zipf", "sequence", "pattern", "constant", "provider"]
        let share = reader.share("null_share", into: &diagnostics)
        if share != nil, !field.isNullable {
            error(
                .invalidGenerator, "'\(field.name)' is required, so it has no share of nulls",
                at: reader.mapping["null_share"]?.location, path: "\(path).null_share", hint: "add nullable: true")
        }
        var spec: GeneratorSpec?
        if reader.mapping["type"] == nil, let name = reader.string("provider", into: &diagnostics) {
            spec = provider(name, at: reader.mapping["provider"]?.location ?? node.location, path: path)
        } else if reader.mapping["type"] != nil || share == nil {
            if reader.requiredNode("type", into: &diagnostics) != nil,
                let type = reader.choice("type", of: types, into: &diagnostics)
            {
                checkFit(type, field, at: reader.mapping["type"]?.location, path: path)
                spec = readDistribution(type, &reader, field)
            } else {
                return nil
            }
        }
        reader.finish(into: &diagnostics)
        if let share { return .nullable(share: share, spec) }
        return spec
    }

    private mutating func provider(_ name: String, at location: SourceLocation, path: String) -> GeneratorSpec {
        let known = plugins.names(.valueProvider)
        if !known.isEmpty, !known.contains(name) {
            error(
                .invalidGenerator, "unknown value provider '\(name)'", at: location, path: path,
                hint: hint(for: name, among: known, "providers"))
        }
        return .provider(name)
    }

    private mutating func checkFit(_ type: String, _ field: Field, at location: SourceLocation?, path: String) {
        let isNumber: Bool
        switch field.type {
        case .int, .long, .float, .double, .decimal, .money: isNumber = true
        default: isNumber = false
        }
        let fits: Bool
        switch type {
        case "uniform", "normal", "lognormal": fits = isNumber
        case "zipf", "sequence": fits = isNumber || field.type == .string
        case "pattern": fits = field.type == .string
        default: fits = true
        }
        if !fits {
            error(
                .invalidGenerator,
                "'\(type)' cannot make values of '\(field.name)', which is \(field.type.description)",
                at: location, path: path)
        }
    }

    private mutating func readDistribution(
        _ type: String, _ reader: inout MappingReader, _ field: Field
    ) -> GeneratorSpec? {
        func need(_ key: String, above bound: Double? = nil) -> Double? {
            guard reader.requiredNode(key, into: &diagnostics) != nil else { return nil }
            return reader.number(key, above: bound, into: &diagnostics)
        }
        switch type {
        case "uniform":
            guard let low = need("min"), let high = need("max") else { return nil }
            if low > high {
                error(
                    .invalidGenerator, "'min' \(low) is above 'max' \(high)", at: reader.mapping["min"]?.location,
                    path: reader.path)
            }
            return .uniform(minimum: low, maximum: high)
        case "normal":
            guard let mean = need("mean"), let deviation = need("deviation", above: 0) else { return nil }
            return .normal(mean: mean, deviation: deviation)
        case "lognormal":
            guard let median = need("median", above: 0), let sigma = need("sigma", above: 0) else { return nil }
            return .lognormal(median: median, sigma: sigma)
        case "zipf":
            guard reader.requiredNode("count", into: &diagnostics) != nil else { return nil }
            let exponent = reader.number("exponent", above: 0, into: &diagnostics)
            return reader.integer("count", in: 1...100_000_000, into: &diagnostics)
                .map { .zipf(count: $0, exponent: exponent ?? 1) }
        case "sequence":
            let start = reader.integer("start", into: &diagnostics), step = reader.integer("step", into: &diagnostics)
            return .sequence(start: start ?? 1, step: step ?? 1)
        case "pattern":
            return reader.requiredString("pattern", into: &diagnostics).map { .pattern($0) }
        case "provider":
            let name = reader.requiredString("provider", into: &diagnostics)
            return name.map {
                provider($0, at: reader.mapping["provider"]?.location ?? reader.location, path: reader.path)
            }
        default:
            guard reader.requiredNode("value", into: &diagnostics) != nil,
                let text = reader.text("value", into: &diagnostics)
            else { return nil }
            if let reason = ValueText.misfit(text, field.type) {
                error(
                    .valueDoesNotFit, "the value '\(text)' of '\(field.name)' \(reason)",
                    at: reader.mapping["value"]?.location, path: reader.path)
            }
            return .constant(text)
        }
    }
}
