/// A place in something that a person wrote.
///
/// Lines and columns are 1-based; columns count Unicode scalars. `endColumn` is exclusive and on the same line.
public struct SourceLocation: Hashable, Sendable, Comparable {
    /// The file as the person named it (relative to where the command ran), or `--set`, `environment variable`, ….
    public var file: String
    public var line: Int
    public var column: Int
    public var endColumn: Int

    public init(file: String, line: Int, column: Int, endColumn: Int? = nil) {
        self.file = file
        self.line = line
        self.column = column
        self.endColumn = endColumn ?? column + 1
    }

    /// `file:line:column`
    public var text: String { "\(file):\(line):\(column)" }

    public static func < (a: SourceLocation, b: SourceLocation) -> Bool {
        (a.file, a.line, a.column) < (b.file, b.line, b.column)
    }
}
