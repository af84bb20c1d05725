import Diagnostics
import Foundation
import PluginAPI
import ProjectConfig
import StreamplatKit
import Testing

/// The root of this package.
let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path(percentEncoded: false)

@Suite("Files that are generated and committed")
struct GeneratedFilesTests {
    static let domains = ["cdnow", "clickstream", "ecommerce", "fintech", "iot", "logistics"]

    @Test("every shipped domain has its schemas, as they would be written now", arguments: domains)
    func schemas(domain: String) throws {
        var sources = SourceTexts()
        let project = try Project.load(
            .init(domain: "\(packageRoot)/domains/\(domain).yaml", environment: "local"), plugins: .builtin,
            sources: &sources)
        let files = SchemaFiles(domain: try #require(project.domain), root: project.configuration.root)
        let stale = try files.stale()
        #expect(stale.changed.map(\.path) == [], "run `streamplat schema --write --domain \(domain)` and commit it")
        #expect(stale.obsolete == [])
    }

    @Test("every domain file is among the tested ones")
    func allDomains() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: "\(packageRoot)/domains")
        #expect(files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted() == Self.domains)
    }

    static let folders = [
        "env": "env", "file": "secret-file", "embedded": "embedded", "sqlite": "sqlite", "console": "console",
        "postgresql": "postgresql", "confluent": "confluent-registry", "vault": "vault", "clickhouse": "clickhouse",
        "kafka": "kafka", "filter": "filter", "derive": "derive", "project": "project",
    ]

    @Test("every built-in plugin has its plugin.yaml, as its declaration says now")
    func pluginFiles() throws {
        let records = ProcessInfo.processInfo.environment["STREAMPLAT_RECORD"] == "1"
        for spec in PluginRegistry.builtin.all.map(\.spec) {
            let folder = spec.kind == .sink && spec.name == "file" ? "file" : try #require(Self.folders[spec.name])
            // A folder may hold two plugins: the embedded broker and schema registry, the Kafka broker and sink.
            let file =
                switch (spec.kind, folder) {
                case (.schemaRegistry, "embedded"): "schema-registry.yaml"
                case (.sink, "kafka"): "sink.yaml"
                default: "plugin.yaml"
                }
            let path = "\(packageRoot)/plugins/\(folder)/\(file)"
            if records { try spec.yaml.write(toFile: path, atomically: true, encoding: .utf8) }
            let text = try? String(contentsOfFile: path, encoding: .utf8)
            #expect(
                text == spec.yaml,
                "run the tests once with STREAMPLAT_RECORD=1 and commit plugins/\(folder)/\(file)")
        }
    }

    @Test("the page of codes lists every code with its meaning")
    func codes() throws {
        let path = "\(packageRoot)/docs/errors.md"
        let page = """
            # Codes

            Every finding has a stable code; codes are never reused. This page is generated from the table in the code.

            | code | meaning |
            | --- | --- |

            """ + DiagnosticCode.all.sorted { $0.id < $1.id }.map { "| \($0.id) | \($0.meaning) |\n" }.joined()
        if ProcessInfo.processInfo.environment["STREAMPLAT_RECORD"] == "1" {
            try page.write(toFile: path, atomically: true, encoding: .utf8)
        }
        #expect(
            (try? String(contentsOfFile: path, encoding: .utf8)) == page, "run the tests once with STREAMPLAT_RECORD=1")
        #expect(Set(DiagnosticCode.all.map(\.id)).count == DiagnosticCode.all.count)
    }
}
