import Diagnostics
import Foundation
import PlatformModel
import PluginAPI
import ProjectConfig
import StreamplatKit
import Testing

@Suite("Examples of plugins")
struct PluginExampleTests {
    static let folders = ((try? FileManager.default.contentsOfDirectory(atPath: "\(packageRoot)/plugins")) ?? [])
        .filter { FileManager.default.fileExists(atPath: "\(packageRoot)/plugins/\($0)/example.yaml") }.sorted()
    /// Of plugins that are not called like their folders.
    static let names = ["secret-file": "file", "confluent-registry": "confluent"]

    @Test("each plugin's example.yaml is an environment that checks without a finding", arguments: folders)
    func example(_ folder: String) throws {
        let example = try String(contentsOfFile: "\(packageRoot)/plugins/\(folder)/example.yaml", encoding: .utf8)
            // What the example takes from the environment: all that is asked for here are addresses and tokens.
            .replacing(/\$<env:\w+>/, with: "http://127.0.0.1:1")
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
        let platform = project.platform
        let chosen =
            [platform.broker.type, platform.schemaRegistry.type, platform.secrets.type]
            + platform.sinks.map(\.plugin.type)
        #expect(chosen.contains(Self.names[folder] ?? folder), "it chooses the plugin of its folder")
    }
}
