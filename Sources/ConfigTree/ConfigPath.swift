internal import Diagnostics

/// A dotted path of configuration keys: `sinks.primary.type`, `kafka.topics."retention.ms"`.
///
/// A key that holds a dot is written in double quotes, in which `""` is one quote.
public struct ConfigPath: Hashable, Sendable, CustomStringConvertible {
    public var segments: [String]

    public init(segments: [String]) { self.segments = segments }

    /// Reads a path; a quote that is not closed reaches to the end.
    public init(_ text: String) {
        segments = []
        var segment = ""
        var isQuoted = false
        var previousClosedQuote = false
        for scalar in text.unicodeScalars {
            if scalar == "\"" {
                if previousClosedQuote { segment.unicodeScalars.append(scalar) }
                previousClosedQuote = isQuoted
                isQuoted.toggle()
                continue
            }
            previousClosedQuote = false
            if scalar == ".", !isQuoted {
                segments.append(segment)
                segment = ""
            } else {
                segment.unicodeScalars.append(scalar)
            }
        }
        segments.append(segment)
    }

    public var description: String {
        segments.map { segment in
            let needsQuotes = segment.isEmpty || segment.unicodeScalars.contains { $0 == "." || $0 == "\"" }
            return needsQuotes ? segment.quoted("\"") : segment
        }.joined(separator: ".")
    }
}
