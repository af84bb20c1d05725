import Diagnostics
import Foundation
import PluginAPI
import ProjectConfig
import StreamplatKit
import Testing

@Suite("Topics of two domains")
struct TopicOwnershipTests {
    static func domain(_ name: String, extra: String = "", topic: String? = nil) -> String {
        """
        domain: \(name)
        entity: { primary_key: user_id }
        \(extra)
        event_types:
          - name: visit
        \(topic.map { "    topic: \($0)" } ?? "")
            dimensions: [page]

        """
    }

    /// What is said about the domain `shop` beside another domain file.
    private func conflicts(
        beside other: String, named file: String = "domains/other.yaml", environment: String = "{}",
        overrides: [String] = []
    ) throws -> [Diagnostic] {
        let root = FileManager.default.temporaryDirectory.appending(path: "streamplat-topics-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        let platform = "broker: { type: embedded }\nsinks: { primary: { type: console } }\n"
        for (path, text) in [
            ("config/platform.yaml", platform), ("environments/local.yaml", environment),
            ("domains/shop.yaml", Self.domain("shop")), (file, other),
        ] {
            let url = root.appending(path: path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        var sources = SourceTexts()
        let project = try Project.load(
            .init(
                domain: root.appending(path: "domains/shop.yaml").path(percentEncoded: false), environment: "local",
                overrides: overrides), plugins: .builtin, sources: &sources)
        return TopicOwnership(project).conflicts().items
    }

    @Test("one topic of two domains is named at both places", arguments: ["yaml", "yml"])
    func conflict(_ ending: String) throws {
        let found = try conflicts(beside: Self.domain("other"), named: "domains/other.\(ending)")
        #expect(found.count == 1)
        #expect(found.first?.code == .topicTwice && found.first?.message.contains("events.visit") == true)
        #expect(found.first?.notes.first?.location?.file.hasSuffix("domains/other.\(ending)") == true)
        #expect(found.first?.notes.first?.location?.line == 5)
    }

    @Test("both folders of domains are looked at")
    func otherFolder() throws {
        #expect(try conflicts(beside: Self.domain("other"), named: "config/domains/other.yml").count == 1)
    }

    @Test(
        "a topic of its own is no conflict, however it came about",
        arguments: [
            ("", "other.visit"), ("", "{ name: other.visit }"), ("kafka: { topics: { prefix: other } }", nil),
        ])
    func apart(_ extra: String, _ topic: String?) throws {
        #expect(try conflicts(beside: Self.domain("other", extra: extra, topic: topic)).isEmpty)
    }

    @Test("a topic that is written out, as text or in a map, may be another domain's", arguments: ["", "{ name: "])
    func written(_ form: String) throws {
        let topic = form.isEmpty ? "events.visit" : "\(form)events.visit }"
        #expect(try conflicts(beside: Self.domain("other", topic: topic)).count == 1)
    }

    @Test("the environment's block of the other domain counts")
    func environmentBlock() throws {
        let block = "domains: { other: { kafka: { topics: { prefix: elsewhere } } } }"
        #expect(try conflicts(beside: Self.domain("other"), environment: block).isEmpty)
    }

    @Test("--set of the platform's keys holds for all domains, --set of event types only for the named one")
    func settings() throws {
        let moved = Self.domain("other", extra: "kafka: { topics: { prefix: other } }")
        #expect(try conflicts(beside: moved, overrides: ["kafka.topics.prefix=test"]).count == 1)
        let renamed = "event_types=[{ name: view, dimensions: [page] }]"
        #expect(try conflicts(beside: Self.domain("other"), overrides: [renamed]).isEmpty)
    }

    @Test(
        "what is wrong in another file is left to its own validate",
        arguments: [
            ": [", "- a\n- b\n", "domain: other\nevent_types: 5\n", "domain: other\nevent_types: [{ name: [] }]\n",
        ]
    )
    func broken(_ text: String) throws {
        #expect(try conflicts(beside: text).isEmpty)
    }

    @Test("a file that is wrong elsewhere still claims its topics")
    func partlyBroken() throws {
        #expect(try conflicts(beside: Self.domain("other") + "aggregations: 7\n").count == 1)
    }
}
