public import PluginAPI

/// Labels and values that a chart draws, taken from a query's rows in their order.
public struct ChartSeries: Sendable, Equatable {
    public var labels: [String]
    /// One per label; NaN where the cell is null.
    public var values: [Double]

    /// Why a column cannot be drawn.
    public enum Failure: Error, Hashable, CustomStringConvertible {
        case unknownColumn(String, columns: [String])
        case notANumber(column: String, row: Int)

        public var description: String {
            switch self {
            case .unknownColumn(let name, let columns):
                "no column '\(name)' in the result; it has \(columns.joined(separator: ", "))"
            case .notANumber(let column, let row):
                "column '\(column)' is not a number in row \(row + 1); a chart needs numbers"
            }
        }
    }

    /// Takes `column` as the values and what is not a number in the other columns, joined by a space, as the labels;
    /// when all others are numbers, the first of them. Without another column the rows are numbered from 1.
    public init(_ result: QueryResult, column: String) throws(Failure) {
        guard let index = result.columns.firstIndex(of: column) else {
            throw .unknownColumn(column, columns: result.columns)
        }
        let others = result.columns.indices.filter { $0 != index }
        let texts = others.filter { other in
            result.rows.contains { other < $0.count && $0[other] != .null && !TerminalTable.isNumber($0[other]) }
        }
        let labelColumns = texts.isEmpty ? Array(others.prefix(1)) : texts
        labels = []
        values = []
        for (row, cells) in result.rows.enumerated() {
            guard index < cells.count, let value = ChartSeries.number(cells[index]) else {
                throw .notANumber(column: column, row: row)
            }
            values.append(value)
            let parts = labelColumns.map { $0 < cells.count ? TerminalTable.text(cells[$0]) : "" }
            labels.append(parts.isEmpty ? "\(row + 1)" : parts.joined(separator: " "))
        }
    }

    private static func number(_ cell: QueryResult.Cell) -> Double? {
        switch cell {
        case .null: .nan
        case .integer(let value): Double(value)
        case .double(let value): value
        case .text(let value): TerminalTable.isNumber(cell) ? Double(value) : nil
        }
    }
}
