public import Diagnostics

/// Rows of a batch that a sink can never take as they are. Thrown by ``Sink/write(_:to:)``.
///
/// None of the batch was taken, or taking its rows again changes nothing: the caller sets the refused ones aside and gives
/// the others again. A sink names all rows that it finds, so that this ends soon.
public struct RefusedRows: Error, Sendable, CustomStringConvertible {
    public struct Row: Hashable, Sendable {
        /// The row of the batch, from 0.
        public var row: Int
        /// The column at fault, when there is one.
        public var column: String?
        /// Why; without values of the row.
        public var reason: String

        public init(row: Int, column: String?, reason: String) {
            self.row = row
            self.column = column
            self.reason = reason
        }
    }

    public var code: DiagnosticCode
    /// Ascending, each row once; not empty.
    public var rows: [Row]

    public init(code: DiagnosticCode, rows: [Row]) {
        self.code = code
        self.rows = rows
    }

    public var description: String {
        "[\(code.id)] \(rows.count) rows refused" + (rows.first.map { ", the first: \($0.reason)" } ?? "")
    }
}
