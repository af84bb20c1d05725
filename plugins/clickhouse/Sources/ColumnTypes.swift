internal import DataPath

/// Which ClickHouse type holds the values of one of ours exactly.
///
/// Where a server lacks the type that fits best, the column is the number that we count in: milliseconds, days, 0 and 1.
/// In RowBinary both are the same bytes, so rows are written alike, and a table that was made by an older server stays as
/// it is after an upgrade.
enum ColumnTypes {
    /// Exact types, the best first; `nil` = every server has it.
    static func candidates(_ type: LogicalType) -> [(name: String, since: ServerVersion?)] {
        switch type {
        case .boolean: [("Bool", .bool), ("UInt8", nil)]
        case .int: [("Int32", nil)]
        case .long: [("Int64", nil)]
        case .float: [("Float32", nil)]
        case .double: [("Float64", nil)]
        case .string, .bytes, .json: [("String", nil)]
        case .uuid: [("UUID", nil)]
        case .date: [("Date32", .date32), ("Int32", nil)]
        case .timestamp: [("DateTime64(3, 'UTC')", .dateTime64), ("Int64", nil)]
        case .decimal(let precision, let scale): [("Decimal(\(precision), \(scale))", nil)]
        }
    }

    /// The type of a new column, without its nullability.
    static func best(_ type: LogicalType, _ version: ServerVersion) -> String {
        let fitting = candidates(type).first { candidate in candidate.since.map { version >= $0 } ?? true }
        return fitting?.name ?? "String"
    }

    static func declared(_ column: ColumnSpec, _ version: ServerVersion) -> String {
        switch ColumnForm(column, version) {
        case .array(let element): return "Array(\(best(element, version)))"
        case .map(let value): return "Map(String, \(best(value, version)))"
        case .scalar(let type):
            let name = best(type, version)
            return column.isNullable ? "Nullable(\(name))" : name
        }
    }

    /// Whether a column of `existing` type, as system.columns says it, holds the values of `column` exactly.
    static func holds(_ existing: String, _ column: ColumnSpec, _ version: ServerVersion) -> Bool {
        switch ColumnForm(column, version) {
        case .array(let element): return candidates(element).contains { existing == "Array(\($0.name))" }
        case .map(let value): return candidates(value).contains { existing == "Map(String, \($0.name))" }
        case .scalar(let type):
            let (bare, isNullable) = split(existing)
            return isNullable == column.isNullable && candidates(type).contains { $0.name == bare }
        }
    }

    static func split(_ type: String) -> (bare: String, isNullable: Bool) {
        guard type.hasPrefix("Nullable("), type.hasSuffix(")") else { return (type, false) }
        return (String(type.dropFirst("Nullable(".count).dropLast()), true)
    }

    /// A value of that type, to stand for null in a sorting key beside a flag.
    static func zero(_ type: LogicalType, _ version: ServerVersion) -> String {
        let name = best(type, version)
        return switch name {
        case "String": "''"
        case "UUID": "CAST('00000000-0000-0000-0000-000000000000', 'UUID')"
        default: "CAST(0, \(SQLText.literal(name)))"
        }
    }

    /// For a column that is a number for want of a better type: a computed column of the same name with a suffix, which
    /// takes no space and is not in `SELECT *`.
    static func readableAlias(_ column: ColumnSpec, _ version: ServerVersion) -> (name: String, declaration: String)? {
        let source = SQLText.identifier(column.name)
        let alias: (suffix: String, type: String, expression: String)
        switch (column.type, best(column.type, version)) {
        case (.timestamp, "Int64"):
            alias = ("_datetime", "DateTime('UTC')", "toDateTime(intDiv(\(source), 1000), 'UTC')")
        case (.date, "Int32"):
            alias = ("_date", "Date", "toDate(toUInt16(\(source)))")
        default: return nil
        }
        let type = column.isNullable ? "Nullable(\(alias.type))" : alias.type
        let name = column.name + alias.suffix
        return (name, "\(SQLText.identifier(name)) \(type) ALIAS \(alias.expression)")
    }
}
