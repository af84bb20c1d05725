import Compression
import Foundation
import Testing

@Suite("Deflate and gzip")
struct CompressionTests {
    /// Runs of text and bytes that do not compress.
    static let samples: [[UInt8]] = [
        [], [0], Array("hello".utf8), Array(repeating: 7, count: 1_000_000),
        (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) },
    ]

    @Test("what was compressed comes back", arguments: samples.indices)
    func roundTrip(index: Int) throws {
        let bytes = Self.samples[index]
        let packed = try bytes.withUnsafeBytes { try Deflate.compress($0) }
        let unpacked = try packed.withUnsafeBytes { try Deflate.decompress($0, byteLimit: 2_000_000) }
        #expect(unpacked == bytes)
    }

    @Test("gzip gives what a gzip reader takes, and its header", arguments: samples.indices)
    func gzip(index: Int) throws {
        let bytes = Self.samples[index]
        let packed = try bytes.withUnsafeBytes { try Deflate.gzip($0, level: 1) }
        #expect(packed.prefix(3) == [0x1F, 0x8B, 8])
        // The last four bytes are the length (RFC 1952, section 2.3.1), before them the checksum.
        let length = packed.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        #expect(length == bytes.count)
        let raw = try packed.dropFirst(10).dropLast(8).withUnsafeBytes {
            try Deflate.decompress($0, byteLimit: 2_000_000)
        }
        #expect(raw == bytes)
        let checksum = packed.dropLast(4).suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        #expect(checksum == bytes.withUnsafeBytes { Deflate.crc32($0) })
    }

    @Test("a small input that claims to be large stops at the limit")
    func bomb() throws {
        let packed = try [UInt8](repeating: 0, count: 10_000_000).withUnsafeBytes { try Deflate.compress($0) }
        #expect(throws: (any Error).self) { try packed.withUnsafeBytes { try Deflate.decompress($0, byteLimit: 1000) } }
    }

    @Test("damaged bytes are an error, never a crash", arguments: 0..<20)
    func damage(seed: Int) throws {
        var packed = try Self.samples[4].withUnsafeBytes { try Deflate.compress($0) }
        for step in 0..<10 { packed[(seed * 7919 + step * 104_729) % packed.count] ^= UInt8(1 + seed) }
        let result = try? packed.withUnsafeBytes { try Deflate.decompress($0, byteLimit: 1_000_000) }
        #expect(result != Self.samples[4])
    }

    @Test("what stands before a damaged place of a file is read, however large the reads are", arguments: [1, 1 << 20])
    func readsUpToDamage(pieceBytes: Int) throws {
        let bytes = (0..<20_000).map { "line \($0)\n" }.joined().utf8.map { $0 }
        var packed = try bytes.withUnsafeBytes { try Deflate.gzip($0, level: 6) }
        packed[packed.count - 8] ^= 1
        let reader = try GzipReader(MemoryInput(packed), name: "f.gz")
        var piece = [UInt8](repeating: 0, count: pieceBytes)
        var read: [UInt8] = []
        #expect(throws: InputError.self) {
            while true {
                let count = try piece.withUnsafeMutableBytes { try reader.read(into: $0) }
                if count == 0 { return }
                read += piece[..<count]
            }
        }
        #expect(read == bytes)
    }

    @Test("the checksum is zlib's: the check value of CRC-32")
    func checksum() {
        #expect(Array("123456789".utf8).withUnsafeBytes { Deflate.crc32($0) } == 0xCBF4_3926)
    }
}
