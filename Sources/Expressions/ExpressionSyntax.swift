public import DataPath
public import Diagnostics

/// Where a part of an expression stands in a configuration file.
public struct ExpressionPlace: Hashable, Sendable {
    public var location: SourceLocation
    /// Where it stands in the expression's text, when the text does not map to columns of the file.
    public var note: String?

    public init(_ location: SourceLocation, note: String? = nil) {
        self.location = location
        self.note = note
    }
}

/// A literal as it was written.
public enum ExpressionLiteral: Hashable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int64)
    /// `unscaled` times 10^-scale.
    case decimal(unscaled: Int128, precision: Int, scale: Int)
    case double(Double)
    case string(String)
    /// Days since the epoch.
    case date(Int64)
    /// Milliseconds since the epoch.
    case timestamp(Int64)
}

/// A parsed expression, not yet bound or typed. The SQL text and the map form both become this.
public struct ExpressionSyntax: Hashable, Sendable {
    public indirect enum Kind: Hashable, Sendable {
        case reference([String])
        case literal(ExpressionLiteral)
        case comparison(ComparisonOperator, ExpressionSyntax, ExpressionSyntax)
        case arithmetic(ArithmeticOperator, ExpressionSyntax, ExpressionSyntax)
        case negate(ExpressionSyntax)
        case and(ExpressionSyntax, ExpressionSyntax)
        case or(ExpressionSyntax, ExpressionSyntax)
        case not(ExpressionSyntax)
        case isNull(ExpressionSyntax, negated: Bool)
        case inList(ExpressionSyntax, [ExpressionSyntax], negated: Bool)
        case between(ExpressionSyntax, ExpressionSyntax, ExpressionSyntax, negated: Bool)
        case like(ExpressionSyntax, ExpressionSyntax, escape: String?, negated: Bool, ignoresCase: Bool)
        case function(String, [ExpressionSyntax])
        case conditional([Branch], otherwise: ExpressionSyntax?)
        case cast(ExpressionSyntax, LogicalType)
    }

    /// One `when … then …`.
    public struct Branch: Hashable, Sendable {
        public var condition: ExpressionSyntax
        public var value: ExpressionSyntax

        public init(condition: ExpressionSyntax, value: ExpressionSyntax) {
            self.condition = condition
            self.value = value
        }
    }

    public var kind: Kind
    public var place: ExpressionPlace

    public init(_ kind: Kind, at place: ExpressionPlace) {
        self.kind = kind
        self.place = place
    }

    public init(_ kind: Kind, at location: SourceLocation) { self.init(kind, at: ExpressionPlace(location)) }
}

extension Diagnostics {
    mutating func error(_ code: DiagnosticCode, _ message: String, at place: ExpressionPlace, hint: String? = nil) {
        error(
            code, message, at: place.location, notes: place.note.map { [Diagnostic.Note($0)] } ?? [], hint: hint)
    }
}
