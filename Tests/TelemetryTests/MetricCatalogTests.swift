import Foundation
import Testing

@testable import Telemetry

@Suite("Metric catalogue")
struct MetricCatalogTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// A metric as a row of the table in docs/metrics.md.
    private func row(_ metric: MetricDefinition) -> String {
        let labels = metric.labels.map { "`\($0)`" }.joined(separator: ", ")
        return "| `\(metric.name)` | \(metric.kind.rawValue) | \(labels) | \(metric.help) |"
    }

    @Test("docs/metrics.md lists exactly the metrics of the catalogue")
    func documented() throws {
        let page = try String(contentsOf: Self.root.appendingPathComponent("docs/metrics.md"), encoding: .utf8)
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `") && $0.contains("_") }.map(String.init)
        let wanted = MetricCatalog.all.map(row)
        #expect(
            Set(rows) == Set(wanted),
            "missing:\n\(Set(wanted).subtracting(rows).sorted().joined(separator: "\n"))\nwrong:\n\(Set(rows).subtracting(wanted).sorted().joined(separator: "\n"))"
        )
    }

    @Test("every name in the code is in the catalogue, and every one of the catalogue is recorded somewhere")
    func recorded() throws {
        var found: Set<String> = []
        for folder in ["Sources", "plugins"] {
            let files = FileManager.default.enumerator(atPath: Self.root.appendingPathComponent(folder).path)
            for case let file as String in try #require(files) where file.hasSuffix(".swift") {
                guard !file.hasSuffix("MetricCatalog.swift") else { continue }
                let url = Self.root.appendingPathComponent("\(folder)/\(file)")
                let text = try String(contentsOf: url, encoding: .utf8)
                // Made by the façade, by the helper that makes one series for each aggregation, or asked for at each scrape.
                for match in text.matches(of: /(?:label: |gauges\(|pull\()"((?:streamplat|process)_[a-z_]+)"/) {
                    found.insert(String(match.1))
                }
            }
        }
        #expect(found == Set(MetricCatalog.all.map(\.name)))
    }

    @Test("names say their unit and kind as Prometheus wants it", arguments: MetricCatalog.all)
    func conventions(metric: MetricDefinition) {
        #expect(metric.name.wholeMatch(of: /(streamplat|process)_[a-z]+(_[a-z]+)*/) != nil)
        #expect(metric.name.hasSuffix("_total") == (metric.kind == .counter))
        #expect(metric.help.hasSuffix("."))
        #expect((metric.kind == .histogram) == !metric.buckets.isEmpty)
        #expect(metric.buckets == metric.buckets.sorted())
    }
}
