@testable import DataPath
import Testing

@Suite("Published hash functions")
struct HashingTests {
    @Test(
        "murmur2 gives the values of Kafka's client tests",
        arguments: [
            ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
        ])
    func murmur(text: String, hash: Int32) {
        #expect(Array(text.utf8).withUnsafeBytes { murmur2($0) } == hash)
    }

    // RFC 3720, appendix B.4, and the check value of the CRC catalogues.
    @Test(
        "CRC-32C gives the published values",
        arguments: [
            ([UInt8](repeating: 0, count: 32), 0x8A91_36AA), ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
            (Array(0..<32), 0x46DD_794E), (Array((0..<32).reversed()), 0x113F_DB5C),
            (Array("123456789".utf8), 0xE306_9283),
        ] as [([UInt8], UInt32)])
    func crc(bytes: [UInt8], checksum: UInt32) {
        #expect(bytes.withUnsafeBytes { CRC32C.checksum($0) } == checksum)
    }

    @Test(
        "CRC-32C is the same by the processor's instruction and by tables, at any length and address", arguments: 0..<40
    )
    func crc(length: Int) {
        let bytes = (0..<64).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ length) }
        bytes.withUnsafeBytes { bytes in
            for start in 0..<8 {
                let part = UnsafeRawBufferPointer(rebasing: bytes[start..<start + length])
                #expect(CRC32C.checksum(part) == CRC32C.checksumByTables(part))
            }
        }
    }
}
