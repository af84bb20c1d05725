import ClickHouseTesting
import Diagnostics
import PluginAPI
import Testing

@Suite("Options of the sink clickhouse")
struct OptionTests {
    @Test("the defaults are a server on this machine")
    func defaults() {
        var diagnostics = Diagnostics()
        let options = SinkConfiguration("http://localhost:8123").options(into: &diagnostics)
        #expect(diagnostics.items.isEmpty)
        #expect(options.string("database") == "default")
        #expect(options.integer("max_batch_rows") == 100_000)
    }

    @Test(
        "a URL that cannot be meant is found without opening anything, and is not quoted",
        arguments: [
            "localhost:8123", "tcp://localhost:9000", "http://user:canary@localhost:8123", "http://",
            "http://localhost:8123/?password=canary", "http://a b",
        ])
    func urls(url: String) {
        var diagnostics = Diagnostics()
        _ = SinkConfiguration("http://localhost:8123", url).options(into: &diagnostics)
        #expect(diagnostics.items.map(\.code) == [.clickHouseOption])
        #expect(diagnostics.items.first?.message.contains("entry 2 of 'urls'") == true)
        #expect(diagnostics.items.first?.message.contains("canary") == false)
        #expect(diagnostics.items.first?.hint != nil)
    }

    @Test("a key without its certificate, an empty database, no time and no URL are found")
    func others() {
        var diagnostics = Diagnostics()
        let configuration = SinkConfiguration(database: "", others: ["key_file": "client.key", "timeout": "0 s"])
        _ = configuration.options(into: &diagnostics)
        #expect(Set(diagnostics.items.compactMap(\.path)) == ["urls", "database", "key_file", "timeout"])
    }

    @Test("what is still a variable is not judged")
    func variables() {
        var diagnostics = Diagnostics()
        var configuration = SinkConfiguration("$<env:CLICKHOUSE_URL>")
        configuration.password = "$<secret:CLICKHOUSE_PASSWORD>"
        _ = configuration.options(into: &diagnostics)
        #expect(diagnostics.items.isEmpty)
    }
}
