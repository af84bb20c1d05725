import ConfigTree
import DataPath
import Diagnostics

/// A measure as it is written, before it is bound.
struct MeasureDraft {
    var function: AggregateFunction
    var field: (path: [String], location: SourceLocation)?
    var name: String
    var location: SourceLocation
    var filter: ParsedPredicate?
    var hasFilter: Bool
    /// Of `count_distinct`.
    var isStrict: Bool
    var path: String
}

extension AggregateFunction {
    var defaultName: String {
        switch self {
        case .count: "count"
        case .countDistinct: "unique_count"
        case .sum: "total"
        case .avg: "average"
        case .min: "min"
        case .max: "max"
        }
    }

    /// The type of the result over values of a type, or nil when there is none.
    func resultType(over type: LogicalType?) -> LogicalType? {
        switch (self, type) {
        case (.count, _): .long
        case (.countDistinct, .json?), (.countDistinct, nil): nil
        case (.countDistinct, _): .long
        case (.sum, .int?), (.sum, .long?): .long
        case (.sum, .float?), (.sum, .double?): .double
        case (.sum, .decimal(_, let scale)?): .decimal(precision: 38, scale: scale)
        case (.avg, .decimal?): .decimal(precision: 38, scale: 6)
        case (.avg, let type?) where type.isNumeric: .double
        case (.min, .boolean?), (.min, .json?), (.min, .bytes?): nil
        case (.max, .boolean?), (.max, .json?), (.max, .bytes?): nil
        case (.min, let type), (.max, let type): type
        default: nil
        }
    }
}

extension LogicalType {
    /// A word for messages.
    var word: String {
        switch self {
        case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
        case .json: "an array or map"
        default: "\(self)"
        }
    }
}

extension DomainReader {
    /// The measures of an aggregation, in either form. Nil after a report.
    mutating func readMeasures(_ reader: inout MappingReader) -> [MeasureDraft]? {
        let short = ["type", "field", "as"].filter { reader.mapping[$0].map { !$0.isNull } ?? false }
        guard let node = reader.node("measures") else {
            if short.isEmpty {
                error(
                    .measureForm, "'\(reader.path)' has neither 'type' nor 'measures'", at: reader.location,
                    path: reader.path, hint: "write type: count, or measures: [{name: orders, type: count}]")
                reader.allow("type", "field", "as")
                return nil
            }
            return readMeasure(&reader, isShort: true).map { [$0] }
        }
        reader.allow("type", "field", "as")
        if let key = short.first {
            error(
                .measureForm, "'\(key)' and 'measures' exclude each other", at: reader.mapping.entry(key)?.keyLocation,
                path: reader.childPath(key), hint: "move it into 'measures'")
        }
        guard let items = node.sequence, !items.isEmpty else {
            error(
                .wrongType, "'measures' takes a list with at least one measure", at: node.location,
                path: reader.childPath("measures"))
            return nil
        }
        var isComplete = short.isEmpty
        let drafts = items.enumerated().compactMap { index, item -> MeasureDraft? in
            guard var inner = MappingReader(item, path: "\(reader.childPath("measures")).\(index)", into: &diagnostics)
            else { return nil }
            let draft = readMeasure(&inner, isShort: false)
            inner.finish(into: &diagnostics)
            return draft
        }
        isComplete = isComplete && drafts.count == items.count
        return isComplete ? drafts : nil
    }

    private mutating func readMeasure(_ reader: inout MappingReader, isShort: Bool) -> MeasureDraft? {
        let field = reader.string("field", into: &diagnostics)
        let fieldNode = reader.node("field")
        let rename = reader.string("as", into: &diagnostics)
        var name = rename
        var filter: ParsedPredicate?
        var hasFilter = false
        if !isShort {
            let long = reader.string("name", into: &diagnostics)
            if let rename, let long, long != rename {
                error(
                    .conflictingKeys, "a measure has 'name' or 'as', not both", at: reader.mapping["as"]?.location,
                    path: reader.childPath("as"), hint: "keep 'name'")
            }
            name = long ?? rename
            if let node = reader.node("filter") {
                hasFilter = true
                filter = ExpressionBinding.predicate(node, path: reader.childPath("filter"), into: &diagnostics)
            }
        }
        if let name, !NameRule.isIdentifier(name) {
            error(
                .invalidName, "'\(name)' cannot name a result column",
                at: (reader.mapping["name"] ?? reader.mapping["as"])?.location, path: reader.path, hint: NameRule.hint)
        }
        let later = ["first", "last", "stddev", "variance", "percentile", "top_k"]
        if reader.requiredNode("type", into: &diagnostics) == nil { return nil }
        let known = AggregateFunction.allCases.map(\.rawValue)
        guard let type = reader.choice("type", of: known + later, into: &diagnostics) else { return nil }
        let typeNode = reader.mapping["type"]
        guard let function = AggregateFunction(rawValue: type) else {
            reader.allow("p", "k", "n", "by", "approximate", "strict")
            error(
                .notSupportedYet, "the measure '\(type)' is not supported yet", at: typeNode?.location,
                path: reader.childPath("type"), hint: "supported: \(known.joined(separator: ", "))")
            return nil
        }
        var isStrict = false
        if function == .countDistinct {
            isStrict = reader.boolean("strict", into: &diagnostics) ?? false
            if reader.boolean("approximate", into: &diagnostics) == true {
                reader.refuse("approximate", "'approximate' of count_distinct is", into: &diagnostics)
            }
        }
        if field == nil, function != .count {
            if fieldNode == nil {
                error(
                    .missingKey, "'\(type)' needs a field", at: typeNode?.location, path: reader.childPath("field"),
                    hint: "add field: <name>")
            }
            return nil
        }
        return MeasureDraft(
            function: function,
            field: field.map { ($0.split(separator: ".").map(String.init), fieldNode?.location ?? reader.location) },
            name: name ?? function.defaultName,
            location: (reader.mapping["as"] ?? typeNode)?.location ?? reader.location,
            filter: filter, hasFilter: hasFilter, isStrict: isStrict, path: reader.path)
    }
}
