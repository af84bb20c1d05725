import DataPath
import Expressions

/// A reference, bound to a column of an event type.
struct BoundColumn {
    /// The column that holds it.
    var column: String
    /// The type as it is seen: a money field is a decimal, its `_cents` a long.
    var type: LogicalType
    var isNullable: Bool
    var moneyScale: Int?
    /// Set for `event_type`, which no column holds.
    var constant: String?
    /// The words of the reference without a class prefix, `entity_id` as the key's name.
    var words: [String]

    /// As expressions take it: for money the type of the column itself, and its scale.
    var entry: ScopeEntry {
        ScopeEntry(
            column: column, type: moneyScale == nil ? type : .long, isNullable: isNullable, moneyScale: moneyScale,
            constant: constant)
    }
}

/// The names that a reference may use within one event type, or within a stream that is derived from it.
struct EventScope: ExpressionScope {
    enum Resolution {
        case found(BoundColumn)
        /// The field stands in the file, but was reported as wrong.
        case broken
        /// Why it is not there.
        case missing(hint: String?)
    }

    var event: EventType
    /// Names of fields that could not be read.
    var broken: Set<String>
    /// Of a stream.
    var stream: StreamView? = nil

    /// What the steps of a stream have made of an event type's columns.
    struct StreamView {
        var name: String
        var derived: [ColumnSpec] = []
        /// The columns that may be named, in order; nil = all.
        var kept: [String]? = nil
        /// Of its rows: see ``DerivedStream/fingerprint``.
        var fingerprint = ""
    }

    /// As `from` names it.
    var name: String { stream?.name ?? event.name }

    /// The columns that may be named, in order.
    var visibleColumns: [ColumnSpec] {
        let all = event.columns + (stream?.derived ?? [])
        guard let kept = stream?.kept else { return all }
        let constant = ColumnSpec("event_type", .string)
        return kept.compactMap { name in all.first { $0.name == name } ?? (name == constant.name ? constant : nil) }
    }

    static let classes: [String: Field.Role] = [
        "attributes": .attribute, "metrics": .metric, "dimensions": .dimension, "fields": .field,
    ]

    var description: String { stream.map { "stream '\($0.name)'" } ?? "event type '\(event.name)'" }

    var knownNames: [String] {
        let all =
            ["event_id", "timestamp", "event_type", "entity_id", event.primaryKey]
            + event.fields.flatMap { names($0, "") }
        guard let stream else { return all }
        return (all + stream.derived.map(\.name)).filter { has($0.split(separator: ".").map(String.init)) }
    }

    func resolve(_ path: [String]) -> ScopeEntry? {
        if case .found(let column) = find(path) { column.entry } else { nil }
    }

    func find(_ path: [String]) -> Resolution {
        guard let stream else { return findInEvent(path) }
        if path.count == 1, let column = stream.derived.first(where: { $0.name == path[0] }) {
            return reading(
                .init(column: column.name, type: column.type, isNullable: column.isNullable, words: [column.name]))
        }
        guard case .found(let column) = findInEvent(path) else { return findInEvent(path) }
        return reading(column)
    }

    /// A column, if the stream has kept it. The event's name needs no column.
    private func reading(_ column: BoundColumn) -> Resolution {
        guard let stream, let kept = stream.kept, column.constant == nil, !kept.contains(column.column) else {
            return .found(column)
        }
        return .missing(
            hint: "a 'project' of stream '\(stream.name)' leaves '\(column.words.joined(separator: "."))' out")
    }

    private func findInEvent(_ path: [String]) -> Resolution {
        guard let first = path.first else { return .missing(hint: nil) }
        if path.count == 1 {
            switch first {
            case "event_id": return plain(first, .string, first)
            case "timestamp": return plain(first, .timestamp, first)
            case "entity_id", event.primaryKey: return plain(event.primaryKey, .string, event.primaryKey)
            case "event_type":
                return .found(
                    .init(
                        column: first, type: .string, isNullable: false, constant: event.name, words: [first]))
            default: break
            }
        }
        let found = find(path, in: event.fields, isNullable: false, prefix: [])
        if case .missing = found, path.count > 1, let role = Self.classes[first] {
            let rest = Array(path.dropFirst())
            let owner = event.fields.first { $0.name == rest[0] || $0.storedName == rest[0] }
            if let owner, owner.role != role {
                return .missing(
                    hint: "'\(rest[0])' is in \(owner.role.rawValue)s: write '\(rest.joined(separator: "."))'")
            }
            return find(rest, in: event.fields, isNullable: false, prefix: [])
        }
        return found
    }

    private func plain(_ column: String, _ type: LogicalType, _ word: String) -> Resolution {
        .found(.init(column: column, type: type, isNullable: false, words: [word]))
    }

    private func find(_ path: [String], in fields: [Field], isNullable: Bool, prefix: [String]) -> Resolution {
        if prefix.isEmpty, broken.contains(path[0]) { return .broken }
        // Without a primary key any unknown name may have meant it.
        guard let field = fields.first(where: { $0.name == path[0] || $0.storedName == path[0] }) else {
            return prefix.isEmpty && event.primaryKey.isEmpty ? .broken : .missing(hint: nil)
        }
        let isNullable = isNullable || field.isNullable
        let words = prefix + [path[0]]
        if case .record(let inner) = field.type {
            guard path.count > 1 else {
                let names = inner.map { (words + [$0.name]).joined(separator: ".") }
                return .missing(hint: "'\(field.name)' is a record: name one of \(names.joined(separator: ", "))")
            }
            return find(Array(path.dropFirst()), in: inner, isNullable: isNullable, prefix: words)
        }
        guard path.count == 1, let stored = field.type.logicalType else {
            return .missing(hint: "'\(field.name)' is \(field.type), it has no fields")
        }
        var bound = BoundColumn(
            column: (prefix + [field.storedName]).joined(separator: "."), type: stored, isNullable: isNullable,
            words: words)
        if case .money(let scale) = field.type, path[0] == field.name {
            bound.type = .decimal(precision: 38, scale: scale)
            bound.moneyScale = scale
        }
        return .found(bound)
    }

    private func names(_ field: Field, _ prefix: String) -> [String] {
        guard case .record(let inner) = field.type else { return [prefix + field.name] }
        return inner.flatMap { names($0, "\(prefix)\(field.name).") }
    }
}
