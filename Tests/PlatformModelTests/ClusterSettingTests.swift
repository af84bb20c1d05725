import ConfigTree
import Diagnostics
import PlatformModel
import Testing
import YAMLTree

@Suite("runtime.cluster")
struct ClusterSettingTests {
    private func check(_ text: String) throws -> (RuntimeSettings?, Diagnostics) {
        var diagnostics = Diagnostics()
        let platform = TestDomains.platform + (TestDomains.platform.hasSuffix("\n") ? "" : "\n")
        let tree = try #require(
            YAMLTree.parse(
                bytes: Array("\(platform)runtime:\n  cluster: \(text)\n".utf8), file: "config/platform.yaml",
                layer: ConfigLayer("platform"), into: &diagnostics))
        let settings = PlatformSettings.check(tree, plugins: TestDomains.plugins, into: &diagnostics)
        return (settings?.runtime, diagnostics)
    }

    @Test(
        "true takes the defaults, false and nothing leave a run alone",
        arguments: [
            ("true", 10_000, 32), ("{}", 10_000, 32), ("{ session_timeout: 500 ms, slots: 1 }", 500, 1),
            ("false", nil, nil),
        ] as [(String, Int64?, Int?)])
    func valid(_ text: String, _ timeout: Int64?, _ slots: Int?) throws {
        let (runtime, diagnostics) = try check(text)
        #expect(diagnostics.items.isEmpty, "\(diagnostics.items)")
        #expect(runtime?.cluster?.sessionTimeoutMilliseconds == timeout && runtime?.cluster?.slots == slots)
    }

    @Test(
        "anything else is one error at its place, which says what to write",
        arguments: [
            ("treu", "'treu'", "cluster: true"), ("[1]", "list", "cluster: true"),
            ("{ session_timeout: 499 ms }", "500 ms", "10 seconds"),
            ("{ session_timout: 5 s }", "session_timout", "session_timeout"),
        ])
    func invalid(_ text: String, _ message: String, _ hint: String) throws {
        let (_, diagnostics) = try check(text)
        let item = try #require(diagnostics.items.first)
        #expect(diagnostics.items.count == 1 && item.severity == .error)
        #expect(item.message.contains(message) && item.hint?.contains(hint) == true, "\(item)")
        #expect(item.location?.file == "config/platform.yaml" && item.path?.hasPrefix("runtime.cluster") == true)
    }
}
