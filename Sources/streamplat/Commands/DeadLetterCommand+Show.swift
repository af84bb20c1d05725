import ArgumentParser
import DataPath
import Diagnostics
import Foundation
import PlatformModel
import PluginAPI
import StreamplatKit
import TerminalViews

extension DeadLetterCommand {
    struct Show: FormattedCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Print dead letters in full, the oldest first.",
            discussion: "Prints keys and values of records as they are: mind who may see them.")
        static let formats: [OutputFormat] = [.text, .json, .csv]

        @OptionGroup var selection: Selection

        @Option(name: .long, help: "How many letters at most.")
        var limit = 10

        @OptionGroup var global: GlobalOptions

        func validate() throws {
            if limit < 1 { throw ValidationError("--limit takes 1 or more.") }
        }

        func run() throws {
            let project = try global.load(domain: selection.domain.name)
            let filter = try selection.makeFilter()
            let live = try project.resolvingSecrets(of: [.broker, .schemaRegistry], notify: global.notify)
            let broker = try live.openBroker(.inspect, notify: global.notify)
            let schemas = try live.openSchemaRegistry(.inspect, notify: global.notify)
            let reader = try LetterReader(
                try project.requireDomain(), broker: broker, topicPrefix: project.platform.topicPrefix)
            var found: [StoredLetter] = []
            var hasMore = false
            try reader.read { letters in
                let chosen = try filter?.select(letters) ?? letters
                hasMore = chosen.count > limit - found.count
                found += chosen.prefix(limit - found.count)
                return !hasMore
            }
            try broker.close()
            let values = LetterValueReader(schemas: schemas)
            let views = try found.map { try LetterView($0, topic: reader.topicName, values) }
            try schemas.close()
            switch global.output {
            case .json: print(LetterView.json(views), terminator: "")
            case .csv: print(QueryText.csv(LetterView.rows(views)), terminator: "")
            case .text:
                for view in views { print(view.text) }
                if views.isEmpty { print("no dead letters") }
            }
            if hasMore { global.say("there are more: --limit takes a larger number, --filter narrows") }
        }
    }
}

/// One letter as a person or program reads it.
private struct LetterView {
    /// A part of the letter: its name, its text, and what stands for it in JSON.
    private struct Part {
        var name: String
        var text: String?
        var json: String

        init(_ name: String, _ text: String?) {
            self.name = name
            self.text = text
            json = text.map { JSONValue.quoted($0) } ?? "null"
        }

        init(_ name: String, _ number: Int64?) {
            self.name = name
            text = number.map(String.init)
            json = text ?? "null"
        }

        init(_ name: String, text: String?, json: String?) {
            self.name = name
            self.text = text
            self.json = json ?? "null"
        }
    }

    private var parts: [Part] = []

    init(_ stored: StoredLetter, topic: String, _ values: LetterValueReader) throws {
        let letter = stored.letter
        parts = [
            Part("position", stored.offset), Part("dlq_partition", Int64(stored.partition)),
            Part("stage", letter.stage.rawValue), Part("code", letter.code), Part("message", letter.message),
            Part("field", letter.field), Part("event_type", stored.eventType),
            Part("aggregation", letter.aggregation), Part("stream", letter.step?.stream),
            Part("step", letter.step.map { Int64($0.number) }), Part("config", letter.configPlace),
            Part("time", TextFormat.timestamp(letter.timeMilliseconds)),
            Part("retries", Int64(letter.retryCount)),
            Part("replayed", text: stored.isReplayed ? "yes" : "no", json: stored.isReplayed ? "true" : "false"),
        ]
        parts += Self.origin(letter)
        parts.append(Part("timestamp", letter.recordTimestamp.map { TextFormat.timestamp($0) }))
        parts += Self.bytes("key", letter.key)
        parts.append(Self.headers(letter.headers))
        parts += Self.bytes("value", letter.value)
        parts.append(Self.decoded(letter, values: try letter.value.flatMap { try values.json($0) }))
        parts.append(
            Part(
                "truncated", text: letter.isTruncated ? "yes: only the beginning was kept" : nil,
                json: letter.isTruncated ? "true" : "false"))
    }

    private static func origin(_ letter: DeadLetter) -> [Part] {
        var topic: TopicPartition?
        var offset: Int64?
        var (file, line, column): (String?, Int64?, Int64?) = (nil, nil, nil)
        var table: String?
        switch letter.origin {
        case .topic(let partition, let at): (topic, offset) = (partition, at)
        case .file(let name, let atLine, let atColumn): (file, line, column) = (name, Int64(atLine), Int64(atColumn))
        case .table(let name): table = name
        }
        return [
            Part("topic", topic?.topic), Part("partition", topic.map { Int64($0.partition) }), Part("offset", offset),
            Part("file", file), Part("line", line), Part("column", column), Part("table", table),
        ]
    }

    /// As text where it is text, else two hexadecimal digits a byte.
    private static func bytes(_ name: String, _ bytes: [UInt8]?) -> [Part] {
        let text = bytes.flatMap { LetterValueReader.text($0) }
        return [Part(name, text), Part("\(name)_hex", text == nil ? bytes.map { LetterValueReader.hex($0) } : nil)]
    }

    private static func headers(_ headers: [DeadLetter.Header]) -> Part {
        let pairs = headers.map { header in
            (header.name, LetterValueReader.text(header.value) ?? "0x\(LetterValueReader.hex(header.value))")
        }
        return Part(
            "headers", text: pairs.isEmpty ? nil : pairs.map { "\($0)=\($1)" }.joined(separator: ", "),
            json: "[" + pairs.map { "[\(JSONValue.quoted($0)), \(JSONValue.quoted($1))]" }.joined(separator: ", ") + "]"
        )
    }

    /// The value's JSON: an Avro message of a schema that is known, or a text that is JSON itself.
    private static func decoded(_ letter: DeadLetter, values: String?) -> Part {
        if let values { return Part("decoded", text: values, json: values) }
        guard let value = letter.value, let text = LetterValueReader.text(value), !letter.isTruncated,
            (try? JSONSerialization.jsonObject(with: Data(value))) != nil
        else { return Part("decoded", nil as String?) }
        // Whoever reads text has it as the value already.
        return Part("decoded", text: nil, json: text)
    }

    /// The parts that are there, a line each.
    var text: String {
        FieldList.render(parts.compactMap { part in part.text.map { (part.name, $0) } })
    }

    /// An array with one object a letter, whose members keep their order.
    static func json(_ views: [LetterView]) -> String {
        let objects = views.map { view in
            "  {" + view.parts.map { "\(JSONValue.quoted($0.name)): \($0.json)" }.joined(separator: ", ") + "}"
        }
        return views.isEmpty ? "[]\n" : "[\n" + objects.joined(separator: ",\n") + "\n]\n"
    }

    static func rows(_ views: [LetterView]) -> QueryResult {
        QueryResult(
            columns: names, rows: views.map { $0.parts.map { part in part.text.map { .text($0) } ?? .null } })
    }

    /// Of every letter the same; without a letter there is none to ask.
    private static let names = [
        "position", "dlq_partition", "stage", "code", "message", "field", "event_type", "aggregation", "config", "time",
        "retries", "replayed", "topic", "partition", "offset", "file", "line", "column", "table", "timestamp", "key",
        "key_hex", "headers", "value", "value_hex", "decoded", "truncated",
    ]
}
