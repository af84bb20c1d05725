import ConfigTree
import Diagnostics
import PlatformModel
import Testing
import YAMLTree

@Suite("runtime.memory_limit")
struct MemoryLimitSettingTests {
    private func check(_ text: String) throws -> (RuntimeSettings?, Diagnostics) {
        var diagnostics = Diagnostics()
        let platform = TestDomains.platform + (TestDomains.platform.hasSuffix("\n") ? "" : "\n")
        let tree = try #require(
            YAMLTree.parse(
                bytes: Array("\(platform)runtime:\n  workers: 2\n  memory_limit: \(text)\n".utf8),
                file: "config/platform.yaml", layer: ConfigLayer("platform"), into: &diagnostics))
        let settings = PlatformSettings.check(tree, plugins: TestDomains.plugins, into: &diagnostics)
        return (settings?.runtime, diagnostics)
    }

    @Test(
        "a size is a number with or without a unit, of at least 1 MiB; auto leaves it to the machine",
        arguments: [
            ("1 MiB", 1 << 20), ("1048576", 1 << 20), ("64 MiB", 64 << 20), ("2GiB", 2 << 30), ("1 GB", 1_000_000_000),
            ("auto", nil),
        ])
    func valid(_ text: String, _ bytes: Int?) throws {
        let (runtime, diagnostics) = try check(text)
        #expect(diagnostics.items.isEmpty, "\(diagnostics.items)")
        #expect(runtime?.memoryLimitBytes == bytes)
    }

    @Test(
        "what is no such size is one error at its place, which says what to write",
        arguments: [
            ("lots", "'lots'", "64 KiB"), ("-1 GiB", "'-1 GiB'", "64 KiB"), ("1.5 GiB", "'1.5 GiB'", "64 KiB"),
            ("4 parsec", "'4 parsec'", "64 KiB"), ("9223372036854775807 GiB", "'9223372036854775807 GiB'", "64 KiB"),
            ("[1 GiB]", "list", "64 KiB"), ("1023 KiB", "'1023 KiB'", "1 MiB or more, or `auto`"),
            ("0", "'0'", "1 MiB or more, or `auto`"),
        ])
    func invalid(_ text: String, _ message: String, _ hint: String) throws {
        let (_, diagnostics) = try check(text)
        let item = try #require(diagnostics.items.first)
        #expect(diagnostics.items.count == 1)
        #expect(item.code == .invalidValue && item.severity == .error && item.path == "runtime.memory_limit")
        #expect(item.message.contains("'memory_limit'") && item.message.contains(message), "\(item.message)")
        #expect(item.hint?.contains(hint) == true, "\(item.hint ?? "no hint")")
        #expect(item.location?.file == "config/platform.yaml" && item.location?.column == 17)
        let line = try #require(item.location?.line)
        #expect(line == TestDomains.platform.split(separator: "\n", omittingEmptySubsequences: false).count + 3)
    }
}
