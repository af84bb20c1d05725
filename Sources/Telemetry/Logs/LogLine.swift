internal import Diagnostics
internal import Glibc
internal import Logging

/// One event of a log as one line of text: what a person or a program reads. Pure.
///
///     2026-11-21 13:45:30 | INFO | runtime | checkpoint written bytes=18221 sequence=4
///     {"time":"2026-11-21T13:45:30.120Z","level":"info","module":"runtime","message":"checkpoint written","metadata":{"bytes":"18221","sequence":"4"}}
///
/// Whatever the message holds, the line stays one: control characters are escaped in both forms.
struct LogLine {
    /// Milliseconds since the epoch.
    var milliseconds: Int64
    var level: Logger.Level
    var module: String
    var message: String
    /// Sorted by key.
    var metadata: [(key: String, value: Logger.MetadataValue)]

    init(milliseconds: Int64, level: Logger.Level, module: String, message: String, metadata: Logger.Metadata) {
        self.milliseconds = milliseconds
        self.level = level
        self.module = module
        self.message = message
        self.metadata = metadata.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// For people, without a final newline.
    var text: String {
        let head = "\(Self.time(milliseconds, isISO: false)) | \(level.rawValue.uppercased()) | \(module) | "
        return metadata.reduce(head + VisibleText.escaped(message)) { line, item in
            "\(line) \(Self.plain(item.key))=\(Self.plain(Self.flat(item.value)))"
        }
    }

    /// For programs, without a final newline. Values of metadata are strings, arrays or objects.
    var json: String {
        let pairs = metadata.map { "\(JSONValue.quoted($0.key)):\(Self.json($0.value))" }
        return "{\"time\":\"\(Self.time(milliseconds, isISO: true))\",\"level\":\"\(level.rawValue)\","
            + "\"module\":\(JSONValue.quoted(module)),\"message\":\(JSONValue.quoted(message)),"
            + "\"metadata\":{\(pairs.joined(separator: ","))}}"
    }

    /// UTC, to the second for people, to the millisecond in ISO 8601 for programs.
    private static func time(_ milliseconds: Int64, isISO: Bool) -> String {
        let rest = ((milliseconds % 1000) + 1000) % 1000
        var seconds = time_t((milliseconds - rest) / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let date =
            "\(digits(Int(parts.tm_year) + 1900, 4))-\(digits(Int(parts.tm_mon) + 1, 2))-\(digits(Int(parts.tm_mday), 2))"
        let clock = "\(digits(Int(parts.tm_hour), 2)):\(digits(Int(parts.tm_min), 2)):\(digits(Int(parts.tm_sec), 2))"
        return isISO ? "\(date)T\(clock).\(digits(Int(rest), 3))Z" : "\(date) \(clock)"
    }

    private static func digits(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    /// A key or value as it is when nobody can mistake its end, else in quotes.
    private static func plain(_ text: String) -> String {
        let needsQuotes =
            text.isEmpty
            || text.unicodeScalars.contains {
                VisibleText.isUnsafe($0) || $0 == " " || $0 == "=" || $0 == "\"" || $0 == "|"
            }
        return needsQuotes ? JSONValue.quoted(text) : text
    }

    private static func flat(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): text
        case .stringConvertible(let value): value.description
        case .array, .dictionary: json(value)
        }
    }

    private static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): JSONValue.quoted(text)
        case .stringConvertible(let value): JSONValue.quoted(value.description)
        case .array(let items): "[\(items.map(json).joined(separator: ","))]"
        case .dictionary(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { "\(JSONValue.quoted($0.key)):\(json($0.value))" }
                .joined(separator: ",") + "}"
        }
    }
}
