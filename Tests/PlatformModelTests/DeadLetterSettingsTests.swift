import ConfigTree
import Diagnostics
import PlatformModel
import Testing
import YAMLTree

@Suite("dead_letters:")
struct DeadLetterSettingsTests {
    private func check(_ text: String) throws -> (DeadLetterSettings?, Diagnostics) {
        var diagnostics = Diagnostics()
        let tree = try #require(
            YAMLTree.parse(
                bytes: Array((TestDomains.platform + "\n" + text + "\n").utf8), file: "config/platform.yaml",
                layer: ConfigLayer("platform"), into: &diagnostics))
        let settings = PlatformSettings.check(tree, plugins: TestDomains.plugins, into: &diagnostics)
        return (settings?.deadLetters, diagnostics)
    }

    @Test(
        "a share is a percentage or a number",
        arguments: [("5%", 0.05), ("0.5 %", 0.005), ("0.05", 0.05), ("0", 0), ("100%", 1), ("\"5%\"", 0.05)])
    func share(_ text: String, _ value: Double) throws {
        let (settings, diagnostics) = try check(
            "dead_letters: { max_share: \(text), window: 2 minutes, min_records: 7 }")
        #expect(diagnostics.items.isEmpty, "\(diagnostics.items)")
        #expect(settings == DeadLetterSettings(maxShare: value, windowMilliseconds: 120_000, minRecords: 7))
    }

    @Test("without the block a run never halts for bad records")
    func absent() throws {
        #expect(try check("").0 == DeadLetterSettings(maxShare: nil, windowMilliseconds: 60_000, minRecords: 1000))
    }

    @Test(
        "what is wrong is said with its place",
        arguments: [
            ("max_share: 5", "for 5 percent write 5%"), ("max_share: 101%", "0% to 100%"), ("max_share: -1%", "'-1%'"),
            ("max_share: many", "'many'"), ("max_share: [1]", "a share"), ("window: 0s", "zero"),
            ("min_records: 0", "min_records"), ("max_shares: 5%", "did you mean 'max_share'"),
        ])
    func wrong(_ text: String, _ words: String) throws {
        let (_, diagnostics) = try check("dead_letters: { \(text) }")
        let item = try #require(diagnostics.items.first)
        #expect(diagnostics.items.count == 1)
        #expect((item.message + " " + (item.hint ?? "")).contains(words), "\(item.message) \(item.hint ?? "")")
        #expect(item.location?.file == "config/platform.yaml")
    }
}
