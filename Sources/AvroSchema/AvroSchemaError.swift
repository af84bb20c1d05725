public import Diagnostics

/// What is wrong with a schema, or why a plan cannot be made from it.
public struct AvroSchemaError: Error, Hashable, Sendable, CustomStringConvertible {
    public var code: DiagnosticCode
    public var message: String
    /// 1-based place in the schema's JSON text; columns count Unicode scalars. Nil when there is no text.
    public var line: Int?
    public var column: Int?
    /// The dotted path of the field that is meant, if it is about one.
    public var field: String?

    public init(
        _ code: DiagnosticCode, _ message: String, line: Int? = nil, column: Int? = nil, field: String? = nil
    ) {
        self.code = code
        self.message = message
        self.line = line
        self.column = column
        self.field = field
    }

    public var description: String {
        var place = ""
        if let line, let column { place += "\(line):\(column): " }
        if let field { place += "field '\(field)': " }
        return place + message
    }
}
