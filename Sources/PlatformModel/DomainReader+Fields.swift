import AvroSchema
import ConfigTree
import Diagnostics

extension DomainReader {
    /// One of the four lists of an event type.
    mutating func readFields(
        _ reader: inout MappingReader, _ key: String, role: Field.Role, seen: inout [String: SourceLocation],
        broken: inout Set<String>
    ) -> [Field] {
        guard let items = reader.sequence(key, into: &diagnostics) else { return [] }
        return items.enumerated().compactMap { index, item in
            let path = "\(reader.childPath(key)).\(index)"
            let field = readField(item, role: role, path: path, seen: &seen, within: [])
            if field == nil, let name = item.mapping?["name"]?.scalar?.text { broken.insert(name) }
            return field
        }
    }

    /// A bare name, or a map; nil after a report.
    mutating func readField(
        _ node: ConfigNode, role: Field.Role, path: String, seen: inout [String: SourceLocation], within: [String]
    ) -> Field? {
        let listType: FieldType = role == .metric ? .double : .string
        let isNullable = role == .attribute || role == .metric
        if node.mapping == nil {
            guard let name = readString(node, path: path, into: &diagnostics) else { return nil }
            if role == .field {
                error(
                    .missingKey, "the field '\(name)' needs a type", at: node.location, path: path,
                    hint: "write { name: \(name), type: string }")
                return nil
            }
            let field = Field(name: name, location: node.location, type: listType, role: role, isNullable: isNullable)
            return checkName(field, path: path, seen: &seen) ? suggestMoney(field, path: path) : nil
        }
        guard var reader = MappingReader(node, path: path, into: &diagnostics) else { return nil }
        let name = reader.requiredString("name", into: &diagnostics)
        let location = reader.mapping["name"]?.location ?? node.location
        var field = Field(
            name: name ?? "", location: location, type: listType, role: role, isNullable: isNullable)
        let type = readFieldType(&reader, default: role == .field ? nil : listType, within: within)
        field.isNullable = reader.boolean("nullable", into: &diagnostics) ?? isNullable
        field.doc = reader.string("doc", into: &diagnostics)
        field.sourceName = reader.string("source_name", into: &diagnostics)
        reader.refuse(
            "references", "'references' to a table is", hint: "give the field 'values' or sample_data",
            into: &diagnostics)
        let values = reader.node("values"), generate = reader.node("generate"), byDefault = reader.node("default")
        let nullDefault = reader.mapping["default"].flatMap { $0.isNull ? $0 : nil }
        reader.finish(into: &diagnostics)
        guard name != nil, checkName(field, path: path, seen: &seen), let type else { return nil }
        field.type = type
        readValues(values, &field, path: reader.childPath("values"))
        readDefault(byDefault, nullDefault, &field, path: reader.childPath("default"))
        if let generate { field.generator = readGenerator(generate, field, path: reader.childPath("generate")) }
        return reader.mapping["type"] == nil ? suggestMoney(field, path: path) : field
    }

    /// The type of a field; `values` of an enum without `symbols` are its symbols.
    private mutating func readFieldType(
        _ reader: inout MappingReader, default defaultType: FieldType?, within: [String]
    ) -> FieldType? {
        let leaf = reader.mapping["type"]?.scalar.flatMap { TypeSyntax($0.text)?.leafName }
        guard leaf == "enum", reader.mapping["symbols"] == nil, let values = reader.mapping["values"] else {
            return readType(&reader, default: defaultType, within: within)
        }
        let symbols = WeightedValueReader.items(values)
        checkSymbols(symbols.map { ($0.text, $0.location) }, path: reader.childPath("values"))
        var mapping = reader.mapping
        let list = symbols.map {
            ConfigNode(.scalar(ConfigScalar($0.text, isPlain: false)), at: $0.location, layer: values.layer)
        }
        mapping.set(
            .init(
                key: "symbols", keyLocation: values.location,
                node: ConfigNode(.sequence(list), at: values.location, layer: values.layer)))
        let node = ConfigNode(.mapping(mapping), at: reader.location, layer: values.layer)
        guard var inner = MappingReader(node, path: reader.path, into: &diagnostics) else { return nil }
        reader.allow("type", "symbols", "fields", "scale")
        return readType(&inner, default: defaultType, within: within)
    }

    private mutating func checkName(_ field: Field, path: String, seen: inout [String: SourceLocation]) -> Bool {
        let name = field.name
        if !NameRule.isIdentifier(name) {
            error(.invalidName, "'\(name)' cannot name a field", at: field.location, path: path, hint: NameRule.hint)
            return false
        }
        if isTopField(path) {
            if ["event_id", "timestamp", "event_type", "entity_id"].contains(name) {
                error(
                    .reservedName, "'\(name)' is the platform's own field", at: field.location, path: path,
                    hint: "every event has it; remove it or give the field another name")
                return false
            }
            if name == primaryKey {
                error(
                    .reservedName, "'\(name)' is the entity's key", at: field.location, path: path,
                    hint: "every event has it; remove it from the list")
                return false
            }
        }
        if let first = seen[name] {
            error(
                .duplicateName, "two fields are named '\(name)'", at: field.location, path: path,
                notes: [.init("the first one is here", at: first)], hint: "give one of them another name")
            return false
        }
        seen[name] = field.location
        return true
    }

    /// Whether the path is one of an event type's own lists, not a record's.
    private func isTopField(_ path: String) -> Bool {
        path.hasPrefix("event_types.") && path.split(separator: ".").count == 4
    }

    private mutating func suggestMoney(_ field: Field, path: String) -> Field {
        let words = field.name.split(separator: "_").map(String.init)
        if field.role == .metric, let last = words.last, ["price", "amount", "revenue", "cost"].contains(last) {
            diagnostics.warning(
                .moneySuggested, "the metric '\(field.name)' is a double, which cannot hold money exactly",
                at: field.location, path: path,
                hint: "write { name: \(field.name), type: money }, or type: double if it is no money")
        }
        return field
    }

    private mutating func readValues(_ node: ConfigNode?, _ field: inout Field, path: String) {
        guard let node else { return }
        if node.scalar != nil {
            error(
                .wrongType, "'values' takes a list or a map of weights, found \(node.kindDescription)",
                at: node.location, path: path)
            return
        }
        for item in WeightedValueReader.items(node) {
            guard let weight = item.weight, weight.isFinite, weight >= 0 else {
                error(
                    .invalidValue, "the value '\(item.text)' has no proper weight", at: item.location, path: path,
                    hint: "write values: [a, b], values: {a: 3, b: 1}, or {value: a, weight: 3}")
                continue
            }
            if let reason = ValueText.misfit(item.text, field.type) {
                error(
                    .valueDoesNotFit, "the value '\(item.text)' of '\(field.name)' \(reason)", at: item.location,
                    path: path)
            }
            field.values.append(WeightedValue(text: item.text, weight: weight))
        }
        if !field.values.isEmpty, field.values.allSatisfy({ $0.weight == 0 }) {
            error(.invalidValue, "the weights of '\(field.name)' are all zero", at: node.location, path: path)
        }
    }

    private mutating func readDefault(_ node: ConfigNode?, _ null: ConfigNode?, _ field: inout Field, path: String) {
        if let null, !field.isNullable {
            error(
                .invalidDefault, "the default of '\(field.name)' is null, but the field is required", at: null.location,
                path: path, hint: "add nullable: true, or remove the default")
        }
        guard let node else { return }
        var reason: String?
        if let value = DefaultText.value(node, field.type, &reason) {
            field.defaultValue = value
        } else {
            error(
                .invalidDefault, "the default of '\(field.name)' \(reason ?? "does not fit its type")",
                at: node.location, path: path)
        }
    }
}
