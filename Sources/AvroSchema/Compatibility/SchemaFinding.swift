/// Why a reader's schema cannot read what a writer's schema wrote, at one place.
public struct SchemaFinding: Hashable, Sendable {
    /// Which of the two schemas can still be changed: the other one is history.
    public enum Side: Hashable, Sendable { case reader, writer }

    /// What differs; types are named as in messages (`int`, `record Purchase`).
    enum Fact: Hashable, Sendable {
        case missingDefault(field: String)
        case otherType(reader: String, writer: String)
        case otherName(kind: String, reader: String, writer: String)
        case otherSize(name: String, reader: Int, writer: Int)
        case missingSymbols(name: String, symbols: [String])
        /// The writer writes a type that none of the reader's branches takes.
        case noBranch(writer: String, reader: String)
        /// One of the writer's branches is a type that the reader does not take.
        case unreadableBranch(writer: String, reader: String)
    }

    /// The field in the reader's names: `address.city`, `items[].price` in an array, `labels{}` for the values of a map;
    /// empty for the schema as a whole.
    public var path: String
    var fact: Fact

    /// What is wrong, in a sentence without a full stop.
    public var reason: String {
        switch fact {
        case .missingDefault(let field):
            "reader field '\(field)' has no default and the writer does not write it"
        case .otherType(let reader, let writer): "the reader takes \(reader), the writer writes \(writer)"
        case .otherName(let kind, let reader, let writer):
            "the reader's \(kind) is named '\(reader)', the writer's '\(writer)'"
        case .otherSize(let name, let reader, let writer):
            "fixed '\(name)' has \(reader) bytes for the reader and \(writer) for the writer"
        case .missingSymbols(let name, let symbols):
            "the writer may write \(symbols.joined(separator: ", ")), which the reader's enum '\(name)' lacks without a default symbol"
        case .noBranch(let writer, let reader): "the writer writes \(writer), the reader takes only \(reader)"
        case .unreadableBranch(let writer, let reader):
            "the writer may write \(writer), the reader takes only \(reader)"
        }
    }

    /// What a person who can change `side` may do.
    public func suggestion(changing side: Side) -> String {
        switch (fact, side) {
        case (.missingDefault(let field), .reader): "give '\(field)' a default"
        case (.missingDefault(let field), .writer): "keep the field '\(field)'"
        case (.otherType(_, let writer), .reader): "keep the type \(writer), or use a new field with a default"
        case (.otherType(let reader, _), .writer): "keep the type \(reader), or use a new field"
        case (.otherName(_, _, let writer), .reader): "keep the name, or give it the alias \"\(writer)\""
        case (.otherName(_, let reader, _), .writer): "keep the name '\(reader)'"
        case (.otherSize, _): "a fixed keeps its size: use a new field for another one"
        case (.missingSymbols, .reader): "keep the symbols, or give the enum a default symbol"
        case (.missingSymbols, .writer): "add no symbols that older readers do not know"
        case (.noBranch(let writer, _), .reader), (.unreadableBranch(let writer, _), .reader):
            "take \(writer) too: a union with it"
        case (.noBranch(_, let reader), .writer), (.unreadableBranch(_, let reader), .writer):
            "write only \(reader)"
        }
    }
}
