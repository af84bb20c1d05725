extension PrometheusRegistry {
    /// The media type of ``exposition()``.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Every metric that has a value, in Prometheus' text format 0.0.4, sorted by name and labels.
    /// Source: prometheus.io/docs/instrumenting/exposition_formats.
    public func exposition() -> String {
        var out = ""
        for family in snapshot {
            let definition = family.definition
            let series = family.series.sorted { $0.key.lexicographicallyPrecedes($1.key) }
            let readings = series.compactMap { labels, series in series.reading.map { (labels, $0) } }
            guard !readings.isEmpty else { continue }
            out += "# HELP \(definition.name) \(Self.escaped(definition.help, quotes: false))\n"
            out += "# TYPE \(definition.name) \(definition.kind.rawValue)\n"
            for (labels, reading) in readings { Self.write(reading, definition, labels, to: &out) }
        }
        return out
    }

    private static func write(
        _ reading: PrometheusReading, _ definition: MetricDefinition, _ labels: [Label], to out: inout String
    ) {
        let name = definition.name
        switch reading {
        case .integer(let value): out += "\(name)\(text(labels)) \(value)\n"
        case .number(let value): out += "\(name)\(text(labels)) \(text(value))\n"
        case .histogram(let counts, let sum):
            // Buckets are cumulative: each holds all observations up to its bound.
            var total: UInt64 = 0
            for (index, count) in counts.enumerated() {
                total += count
                let bound = index < definition.buckets.count ? text(definition.buckets[index]) : "+Inf"
                out += "\(name)_bucket\(text(labels + [Label(name: "le", value: bound)])) \(total)\n"
            }
            out += "\(name)_sum\(text(labels)) \(text(sum))\n"
            out += "\(name)_count\(text(labels)) \(total)\n"
        }
    }

    private static func text(_ labels: [Label]) -> String {
        labels.isEmpty
            ? "" : "{" + labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }.joined(separator: ",") + "}"
    }

    /// The shortest text that reads back as the same number; whole numbers without a point.
    private static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return String(describing: value)
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\"" where quotes: out += "\\\""
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
