import DataPath
import Testing

@Suite("String dictionaries")
struct StringDictionaryTests {
    /// Strings of which some come again, also within a block, and the empty one.
    private static func texts(_ count: Int) -> [String] {
        (0..<count).map { number in
            switch number % 7 {
            case 0: ""
            case 1, 2: "user_\(number / 21)"
            case 3: "\(number)" + String(repeating: "x", count: number % 40)
            default: "\(number)"
            }
        }
    }

    @Test(
        "strings that are looked up together have the codes that they have one by one",
        arguments: [1, 31, 32, 33, 30_000])
    func together(blockCount: Int) {
        let texts = Self.texts(40_000)
        let (together, alone) = (StringDictionary(), StringDictionary())
        var bytes: [UInt8] = []
        var ends: [Int] = []
        for text in texts {
            bytes += text.utf8
            ends.append(bytes.count)
        }
        bytes.withUnsafeBytes { bytes in
            let views = ends.indices.map { index in
                UnsafeRawBufferPointer(rebasing: bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]])
            }
            var start = 0
            while start < views.count {
                let block = Array(views[start..<min(start + blockCount, views.count)])
                var codes = [UInt32](repeating: .max, count: block.count)
                together.codes(for: block, count: block.count, into: &codes)
                #expect(codes == block.map { alone.code(for: $0) })
                start += block.count
            }
            #expect(together.count == Set(texts).count)
            #expect(
                views.indices.allSatisfy { together.string(together.existingCode(for: views[$0]) ?? 0) == texts[$0] })
        }
    }
}
