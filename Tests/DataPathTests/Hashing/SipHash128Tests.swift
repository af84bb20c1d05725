import DataPath
import Testing

@Suite("SipHash with 128-bit output")
struct SipHash128Tests {
    static let key = HashKey(k0: 0x0706_0504_0302_0100, k1: 0x0F0E_0D0C_0B0A_0908)

    /// Source: the vectors of the authors' reference code (SipHash-2-4-128, key 00…0f, input 00, 01, …).
    @Test(
        "SipHash-2-4-128 gives the published digests",
        arguments: [
            (0, "a3817f04ba25a8e66df67214c7550293"), (1, "da87c1d86b99af44347659119b22fc45"),
            (2, "8177228da4a45dc7fca38bdef60affe4"), (15, "5493e99933b0a8117e08ec0f97cfc3d9"),
        ])
    func vectors(length: Int, digest: String) {
        let hash = (0..<UInt8(length)).map { $0 }.withUnsafeBytes {
            sipHash128($0, key: Self.key, compressionRounds: 2, finalizationRounds: 4)
        }
        let hex = [hash.low, hash.high].map { word in
            let text = String(word.byteSwapped, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        #expect(hex.joined() == digest)
    }

    @Test("a word hashes as its eight bytes")
    func word() {
        let word: UInt64 = 0x0123_4567_89AB_CDEF
        let bytes = withUnsafeBytes(of: word.littleEndian) { sipHash128($0, key: Self.key) }
        #expect(sipHash128(word, key: Self.key) == bytes)
    }
}
