import ConfigTree
import Testing

@Suite("Paths of keys")
struct ConfigPathTests {
    @Test(
        "a path is read as it was written",
        arguments: [
            ["sinks", "primary"], ["kafka", "topics", "retention.ms"], [""], ["a", "", "b"], ["say \"hi\""],
            // A dot and a quote that a combining mark follows.
            ["a.\u{301}b"], ["a\"\u{301}b", "c"],
        ])
    func roundTrip(segments: [String]) {
        #expect(ConfigPath(ConfigPath(segments: segments).description).segments == segments)
    }
}
