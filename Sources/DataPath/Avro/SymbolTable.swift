/// The symbols of an enum, for finding their indices by bytes.
///
/// Symbols of up to eight bytes are compared as one word; many or long ones are looked up by hash.
final class SymbolTable {
    private let words: UnsafeMutablePointer<UInt64>
    private let lengths: UnsafeMutablePointer<Int>
    private let wordCount: Int
    private let dictionary: StringDictionary?

    private static let wordLimit = 16

    /// Symbols are distinct, as Avro demands.
    init(_ symbols: [[UInt8]]) {
        wordCount = symbols.count
        words = .allocate(capacity: max(symbols.count, 1))
        lengths = .allocate(capacity: max(symbols.count, 1))
        for (index, symbol) in symbols.enumerated() {
            (words + index).initialize(to: symbol.withUnsafeBytes { Self.word($0) })
            (lengths + index).initialize(to: symbol.count)
        }
        if symbols.count > Self.wordLimit || symbols.contains(where: { $0.count > 8 }) {
            let dictionary = StringDictionary()
            for symbol in symbols { symbol.withUnsafeBytes { _ = dictionary.code(for: $0) } }
            self.dictionary = dictionary
        } else {
            dictionary = nil
        }
    }

    deinit {
        words.deallocate()
        lengths.deallocate()
    }

    /// -1 when it is none of the symbols.
    func index(of text: UnsafeRawBufferPointer) -> Int {
        if let dictionary { return dictionary.existingCode(for: text).map { Int($0) } ?? -1 }
        guard text.count <= 8 else { return -1 }
        let word = Self.word(text)
        for index in 0..<wordCount where words[index] == word && lengths[index] == text.count { return index }
        return -1
    }

    /// The first eight bytes, zeros after the end.
    @inline(__always)
    private static func word(_ text: UnsafeRawBufferPointer) -> UInt64 {
        if text.count >= 8 { return text.loadUnaligned(as: UInt64.self) }
        var word: UInt64 = 0
        for byte in text { word = word &<< 8 | UInt64(byte) }
        return word
    }
}
