/// Which tables a query reads, and behind which of them FINAL stands. Read from its words alone, for a hint to a person: no
/// more than names after FROM and JOIN and commas is understood.
struct TableReads {
    struct Read: Hashable {
        /// Nil when the name stands alone.
        var database: String?
        var table: String
    }

    /// In the order in which they stand, each once.
    private(set) var withoutFinal: [Read] = []
    /// Whether the query names the column of versions: then it chooses the newest rows by itself.
    private(set) var choosesVersions = false

    init(_ sql: String) {
        let tokens = Self.tokens(Array(sql.utf8))
        choosesVersions = tokens.contains { $0.name == SQLText.versionColumn }
        for index in tokens.indices where tokens[index].isWord("from") || tokens[index].isWord("join") {
            var rest = tokens[(index + 1)...]
            repeat {
                guard let read = Self.read(&rest) else { break }
                // FINAL stands behind the alias.
                if rest.first?.isWord("as") == true { rest.removeFirst(min(2, rest.count)) }
                if let next = rest.first, next.name != nil, !next.isKeyword { rest.removeFirst() }
                if rest.first?.isWord("final") == true {
                    rest.removeFirst()
                } else if !withoutFinal.contains(read) {
                    withoutFinal.append(read)
                }
            } while Self.take(",", &rest)
        }
    }

    /// Tables of that database, which is also the one that is meant where none is named.
    func withoutFinal(in database: String) -> [String] {
        withoutFinal.filter { $0.database == nil || $0.database == database }.map(\.table)
    }

    /// A name, or a database and a name; nil for a subquery or a table function.
    private static func read(_ rest: inout ArraySlice<Token>) -> Read? {
        guard let first = rest.first?.name else { return nil }
        rest.removeFirst()
        var read = Read(table: first)
        if take(".", &rest) {
            guard let second = rest.first?.name else { return nil }
            rest.removeFirst()
            read = Read(database: first, table: second)
        }
        return rest.first == .symbol("(") ? nil : read
    }

    private static func take(_ symbol: Unicode.Scalar, _ rest: inout ArraySlice<Token>) -> Bool {
        guard rest.first == .symbol(symbol) else { return false }
        rest.removeFirst()
        return true
    }

    // MARK: Tokens.

    private enum Token: Equatable {
        case word(String), quoted(String), symbol(Unicode.Scalar)
        /// A text or a number.
        case literal

        var name: String? {
            switch self {
            case .word(let name), .quoted(let name): name
            case .symbol, .literal: nil
            }
        }

        func isWord(_ word: String) -> Bool {
            if case .word(let name) = self { name.lowercased() == word } else { false }
        }

        /// A word that may follow a table and is no alias of it.
        var isKeyword: Bool {
            guard case .word(let name) = self else { return false }
            return Self.keywords.contains(name.lowercased())
        }

        private static let keywords: Set<String> = [
            "final", "sample", "prewhere", "where", "group", "having", "order", "limit", "settings", "format", "union",
            "array", "left", "right", "inner", "full", "cross", "join", "any", "all", "asof", "global", "semi", "anti",
            "on", "using", "as", "with", "into", "offset", "select",
        ]
    }

    private static func tokens(_ bytes: [UInt8]) -> [Token] {
        var tokens: [Token] = []
        var index = 0
        func at(_ place: Int) -> UInt8 { place < bytes.count ? bytes[place] : 0 }
        func isWordByte(_ byte: UInt8) -> Bool {
            byte == UInt8(ascii: "_") || byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
                || byte >= 0x80
        }
        func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
        while index < bytes.count {
            let byte = bytes[index]
            let start = index
            if byte <= 0x20 {
                index += 1
            } else if byte == UInt8(ascii: "-"), at(index + 1) == byte {
                while index < bytes.count, bytes[index] != 0x0A { index += 1 }
            } else if byte == UInt8(ascii: "/"), at(index + 1) == UInt8(ascii: "*") {
                index += 2
                while index < bytes.count, at(index) != UInt8(ascii: "*") || at(index + 1) != UInt8(ascii: "/") {
                    index += 1
                }
                index += 2
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "`") || byte == UInt8(ascii: "\"") {
                var text: [UInt8] = []
                index += 1
                while index < bytes.count, bytes[index] != byte {
                    if bytes[index] == UInt8(ascii: "\\") { index += 1 }
                    text.append(at(index))
                    index += 1
                }
                index += 1
                tokens.append(byte == UInt8(ascii: "'") ? .literal : .quoted(String(decoding: text, as: UTF8.self)))
            } else if isWordByte(byte) {
                while index < bytes.count, isWordByte(bytes[index]) || isDigit(bytes[index]) { index += 1 }
                tokens.append(.word(String(decoding: bytes[start..<index], as: UTF8.self)))
            } else if isDigit(byte) {
                while index < bytes.count, isWordByte(bytes[index]) || isDigit(bytes[index]) { index += 1 }
                tokens.append(.literal)
            } else {
                tokens.append(.symbol(Unicode.Scalar(byte)))
                index += 1
            }
        }
        return tokens
    }
}
