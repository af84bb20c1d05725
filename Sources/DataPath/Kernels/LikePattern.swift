/// A compiled pattern of SQL's `like`: `%` is any run of characters, `_` is one character.
public struct LikePattern: Hashable, Sendable {
    private static let oneCharacter: UInt16 = 256
    private static let anyRun: UInt16 = 257

    /// Bytes, or one of the two wildcards.
    private let symbols: [UInt16]
    /// Compare in lower case (`ilike`).
    public let ignoresCase: Bool

    /// The compiled pattern, or nil when it ends with its escape character.
    ///
    /// - Parameter escape: the character that makes the next one stand for itself.
    public init?(_ pattern: String, escape: Unicode.Scalar? = nil, ignoresCase: Bool = false) {
        var symbols: [UInt16] = []
        var escaped = false
        for scalar in pattern.unicodeScalars {
            if escaped || scalar != escape && scalar != "%" && scalar != "_" {
                let letter = ignoresCase ? CaseMapping.lower.map(scalar) : scalar
                symbols += UTF8.encode(letter).map { $0.map(UInt16.init) } ?? []
                escaped = false
            } else if scalar == escape {
                escaped = true
            } else if scalar == "_" {
                symbols.append(Self.oneCharacter)
            } else if symbols.last != Self.anyRun {
                symbols.append(Self.anyRun)
            }
        }
        if escaped { return nil }
        self.symbols = symbols
        self.ignoresCase = ignoresCase
    }

    /// Whether `text` (UTF-8) matches. Cost: O(text × pattern) at worst, linear without `%` in the middle.
    func matches(_ text: ByteView) -> Bool {
        symbols.withUnsafeBufferPointer { pattern in
            var (position, symbol) = (0, 0)
            // Where to take up again when a match after the last `%` fails.
            var (retryPosition, retrySymbol) = (-1, -1)
            while position < text.count {
                if symbol < pattern.count {
                    let expected = pattern[symbol]
                    if expected == Self.anyRun {
                        symbol += 1
                        (retryPosition, retrySymbol) = (position, symbol)
                        continue
                    }
                    if expected == Self.oneCharacter {
                        position = text.indexAfterCharacter(at: position)
                        symbol += 1
                        continue
                    }
                    if expected == UInt16(text.start[position]) {
                        position += 1
                        symbol += 1
                        continue
                    }
                }
                if retryPosition < 0 { return false }
                // `%` swallows whole characters, so that `_` after it starts at a character.
                retryPosition = text.indexAfterCharacter(at: retryPosition)
                (position, symbol) = (retryPosition, retrySymbol)
            }
            while symbol < pattern.count, pattern[symbol] == Self.anyRun { symbol += 1 }
            return symbol == pattern.count
        }
    }
}
