import Diagnostics
import Foundation
import PlatformModel
import PluginAPI
import ProjectConfig
import StreamplatKit
import Testing

@Suite("Examples of plugins")
struct PluginExampleTests {
    static let folders = (try? FileManager.default.contentsOfDirectory(atPath: "\(packageRoot)/plugins").sorted()) ?? []

    @Test("each plugin's example.yaml is an environment that checks without a finding", arguments: folders)
    func example(_ folder: String) throws {
        let example = try String(contentsOfFile: "\(packageRoot)/plugins/\(folder)/example.yaml", encoding: .utf8)
        let root = FileManager.default.temporaryDirectory.appending(path: "streamplat-example-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        for part in ["config", "domains"] {
            try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                at: URL(filePath: packageRoot).appending(path: part), to: root.appending(path: part))
        }
        try FileManager.default.createDirectory(
            at: root.appending(path: "environments"), withIntermediateDirectories: true)
        try Data(example.utf8).write(to: root.appending(path: "environments/example.yaml"))
        var sources = SourceTexts()
        let project = try Project.load(
            .init(
                domain: root.appending(path: "domains/ecommerce.yaml").path(percentEncoded: false),
                environment: "example"), plugins: .builtin, sources: &sources)
        #expect(project.warnings.items.isEmpty)
        // It must choose the plugin whose folder it stands in.
        let yaml = try String(contentsOfFile: "\(packageRoot)/plugins/\(folder)/plugin.yaml", encoding: .utf8)
        let name = try #require(yaml.firstMatch(of: /(?m)^name: (\S+)$/)?.1)
        let kind = try #require(yaml.firstMatch(of: /(?m)^kind: (\S+)$/)?.1)
        let platform = project.platform
        let chosen: [String] =
            switch kind {
            case "sink": platform.sinks.map(\.plugin.type)
            case "broker": [platform.broker.type]
            case "schema_registry": [platform.schemaRegistry.type]
            case "secret_backend": [platform.secrets.type]
            default: []
            }
        #expect(chosen.contains(String(name)), "\(kind) \(name)")
    }
}
