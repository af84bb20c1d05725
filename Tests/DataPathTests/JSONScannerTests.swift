import DataPath
import Testing

@Suite("JSON scanner")
struct JSONScannerTests {
    private func string(_ json: String, repairs: Bool) -> String? {
        Array(json.utf8).withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return nil }
            var scanner = JSONScanner(start, count: bytes.count)
            scanner.repairsSurrogates = repairs
            // What the scanner gives may lie in the scratch buffer.
            let scratch = OutputBuffer()
            return withExtendedLifetime(scratch) {
                scanner.string(scratch).map { String(decoding: $0, as: UTF8.self) }
            }
        }
    }

    @Test("escapes stand for characters, pairs of surrogates for one", arguments: [false, true])
    func escapes(repairs: Bool) {
        #expect(string(#""\u00fc\n\ud83d\ude80\"x""#, repairs: repairs) == "ü\n🚀\"x")
        #expect(string(#""plain ü""#, repairs: repairs) == "plain ü")
    }

    @Test(
        "half a pair is refused, or becomes U+FFFD, and what follows stays",
        arguments: [
            (#""\ud800""#, "\u{FFFD}"), (#""a\ud83dz""#, "a\u{FFFD}z"), (#""\ude80\ud83d""#, "\u{FFFD}\u{FFFD}"),
            (#""\ud83d\u0041""#, "\u{FFFD}A"), (#""\ud83d\ud83d\ude80""#, "\u{FFFD}🚀"), (#""\ud83d\n""#, "\u{FFFD}\n"),
        ])
    func halves(json: String, repaired: String) {
        #expect(string(json, repairs: false) == nil)
        #expect(string(json, repairs: true) == repaired)
    }

    @Test(
        "broken escapes are refused in any case",
        arguments: [#""\u12""#, #""\u12g4""#, #""\ud83d\u12""#, #""\x""#, #""\"#])
    func broken(json: String) {
        for repairs in [false, true] { #expect(string(json, repairs: repairs) == nil) }
    }
}
