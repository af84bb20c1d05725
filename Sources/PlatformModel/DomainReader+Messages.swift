import ConfigTree
import Diagnostics

/// What an event type says about its messages.
struct MessageSyntax {
    var format = MessageFormat.avro
    var eventTime: EventTime?
    var eventIDField: String?
}

extension DomainReader {
    /// Reads `format`, `event_time` and `event_id`, and checks the names that JSON messages have.
    mutating func readMessages(_ reader: inout MappingReader, _ fields: [Field], path: String) -> MessageSyntax {
        let choice = reader.choice("format", of: MessageFormat.allCases.map(\.rawValue), into: &diagnostics)
        var result = MessageSyntax(format: choice.flatMap(MessageFormat.init) ?? .avro)
        // What is said for JSON is not held against a format that could not be read.
        let isUnknown = choice == nil && reader.mapping["format"] != nil
        result.eventTime = readEventTime(&reader)
        result.eventIDField = readPayloadPath(&reader, "event_id")
        if result.format == .avro, !isUnknown {
            for key in ["event_time", "event_id"] {
                guard let entry = reader.mapping.entry(key) else { continue }
                error(
                    .jsonMessagesOnly, "'\(key)' describes JSON messages, and this event type's are Avro",
                    at: entry.keyLocation, path: reader.childPath(key), hint: "write format: json, or remove '\(key)'")
            }
            (result.eventTime, result.eventIDField) = (nil, nil)
        }
        if result.format == .json { checkMessageNames(result, fields, reader) }
        return result
    }

    private mutating func readEventTime(_ reader: inout MappingReader) -> EventTime? {
        guard let node = reader.node("event_time") else { return nil }
        guard var inner = MappingReader(node, path: reader.childPath("event_time"), into: &diagnostics) else {
            return nil
        }
        let field = readPayloadPath(&inner, "field", isRequired: true)
        let format = inner.string("format", into: &diagnostics)
        inner.finish(into: &diagnostics)
        if let format, !EventTime.namedFormats.contains(format) {
            do {
                _ = try TimestampPattern(format)
            } catch {
                for diagnostic in error.diagnostics.items {
                    self.error(
                        .invalidEventTime, diagnostic.message, at: inner.mapping["format"]?.location,
                        path: inner.childPath("format"), hint: diagnostic.hint)
                }
                return nil
            }
        }
        return field.map { EventTime(field: $0, format: format) }
    }

    /// A name in a message, dots step into objects; nil after a report.
    private mutating func readPayloadPath(
        _ reader: inout MappingReader, _ key: String, isRequired: Bool = false
    ) -> String? {
        let written =
            isRequired ? reader.requiredString(key, into: &diagnostics) : reader.string(key, into: &diagnostics)
        guard let text = written else { return nil }
        guard Self.isPayloadPath(text) else {
            error(
                .invalidEventTime, "'\(key)' is '\(text)', which names no value of a message",
                at: reader.mapping[key]?.location, path: reader.childPath(key),
                hint: "write the name as it stands in the message; dots step into objects")
            return nil
        }
        return text
    }

    private static func isPayloadPath(_ text: String) -> Bool {
        !text.split(separator: ".", omittingEmptySubsequences: false).contains("")
    }

    /// A value of a message and where it is declared.
    private struct PayloadValue {
        var path: String
        var what: String
        var location: SourceLocation?
        /// The event's id or time, which may also be a field.
        var mayBeField: Bool
    }

    /// No two values may stand at one place, nor one inside the other: such a message could not be written.
    private mutating func checkMessageNames(_ messages: MessageSyntax, _ fields: [Field], _ reader: MappingReader) {
        var values = [
            PayloadValue(
                path: messages.eventIDField ?? "event_id", what: "the event's id",
                location: reader.mapping["event_id"]?.location, mayBeField: true),
            PayloadValue(
                path: messages.eventTime?.field ?? "timestamp", what: "the event's time",
                location: reader.mapping["event_time"]?.location, mayBeField: true),
            PayloadValue(path: primaryKey, what: "the entity's key", location: nil, mayBeField: false),
        ]
        addValues(fields, path: "", to: &values, reader)
        for (index, value) in values.enumerated() {
            for first in values[..<index] where Self.meet(first, value) {
                error(
                    .payloadNameConflict,
                    "\(first.what) ('\(first.path)') and \(value.what) ('\(value.path)') have one place in the message",
                    at: value.location ?? first.location ?? reader.location, path: reader.path,
                    notes: first.location.map { [.init("the first one is here", at: $0)] } ?? [],
                    hint: "give one of them another name or source_name")
            }
        }
    }

    private static func meet(_ first: PayloadValue, _ second: PayloadValue) -> Bool {
        if first.path == second.path { return first.mayBeField == second.mayBeField }
        return first.path.hasPrefix(second.path + ".") || second.path.hasPrefix(first.path + ".")
    }

    private mutating func addValues(
        _ fields: [Field], path: String, to values: inout [PayloadValue], _ reader: MappingReader
    ) {
        for field in fields {
            if let name = field.sourceName, !Self.isPayloadPath(name) {
                error(
                    .invalidValue, "'source_name' is '\(name)', which names no value of a message", at: field.location,
                    path: reader.path, hint: "write the name as it stands in the message; dots step into objects")
                continue
            }
            let name = path + (field.sourceName ?? field.name)
            if case .record(let inner) = field.type {
                addValues(inner, path: name + ".", to: &values, reader)
                continue
            }
            refuseInnerNames(field.type, reader)
            var names = [name]
            if field.sourceName == nil, field.storedName != field.name { names.append(path + field.storedName) }
            values += names.map {
                PayloadValue(path: $0, what: "'\(field.name)'", location: field.location, mayBeField: false)
            }
        }
    }

    /// Arrays and maps are taken over as they are, with the names that stand in them.
    private mutating func refuseInnerNames(_ type: FieldType, _ reader: MappingReader) {
        switch type {
        case .array(let inner), .map(let inner): refuseInnerNames(inner, reader)
        case .record(let fields):
            for field in fields {
                if field.sourceName != nil {
                    error(
                        .notSupportedYet, "'source_name' inside an array or map is not supported yet",
                        at: field.location, path: reader.path, hint: "give the field the name that it has in messages")
                }
                refuseInnerNames(field.type, reader)
            }
        default: break
        }
    }
}
