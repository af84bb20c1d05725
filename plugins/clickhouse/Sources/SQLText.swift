internal import DataPath
internal import PluginAPI

/// SQL in ClickHouse's dialect, for one database and one version of the server.
struct SQLText {
    let database: String
    let version: ServerVersion

    /// The column that tells which of several rows of one key is the newest.
    static let versionColumn = "_version"

    static func identifier(_ name: String) -> String { quoted(name, "`") }
    static func literal(_ text: String) -> String { quoted(text, "'") }

    func table(_ name: String) -> String { "\(Self.identifier(database)).\(Self.identifier(name))" }

    func createDatabase() -> String { "CREATE DATABASE IF NOT EXISTS \(Self.identifier(database))" }

    func create(_ definition: TableDefinition) -> String {
        var columns = definition.columns.map { "\(Self.identifier($0.name)) \(ColumnTypes.declared($0, version))" }
        columns.append("\(Self.identifier(Self.versionColumn)) UInt64")
        columns += definition.columns.compactMap { alias($0, in: definition) }
        var text = "CREATE TABLE IF NOT EXISTS \(table(definition.name)) (\n  \(columns.joined(separator: ",\n  ")))\n"
        text += "ENGINE = ReplacingMergeTree(\(Self.versionColumn))\nORDER BY (\(sortingKey(definition)))"
        if version.hasDeduplicationToken { text += "\nSETTINGS non_replicated_deduplication_window = 1000" }
        return text
    }

    /// One statement per column that is added, its readable form included.
    func add(_ column: ColumnSpec, to definition: TableDefinition, existing: Set<String>) -> [String] {
        let declarations = [
            "\(Self.identifier(column.name)) \(ColumnTypes.declared(column, version))",
            existing.contains(ColumnTypes.readableAlias(column, version)?.name ?? "")
                ? nil : alias(column, in: definition),
        ]
        return declarations.compactMap { $0 }.map { "ALTER TABLE \(table(definition.name)) ADD COLUMN \($0)" }
    }

    func insert(_ definition: TableDefinition) -> String {
        let names = definition.columns.map(\.name) + [Self.versionColumn]
        return "INSERT INTO \(table(definition.name)) (\(names.map(Self.identifier).joined(separator: ", "))) "
            + "FORMAT RowBinary"
    }

    /// A sorting key cannot hold nulls (error 44 of the server), so a nullable column stands there as a flag and a value;
    /// the column itself stays as it is. Rows of one key are those that agree in these expressions.
    private func sortingKey(_ definition: TableDefinition) -> String {
        definition.key.flatMap { name -> [String] in
            let quoted = Self.identifier(name)
            guard let column = definition.columns.first(where: { $0.name == name }), column.isNullable else {
                return [quoted]
            }
            return ["isNull(\(quoted))", "ifNull(\(quoted), \(ColumnTypes.zero(column.type, version)))"]
        }.joined(separator: ", ")
    }

    private func alias(_ column: ColumnSpec, in definition: TableDefinition) -> String? {
        guard let alias = ColumnTypes.readableAlias(column, version),
            !definition.columns.contains(where: { $0.name == alias.name })
        else { return nil }
        return alias.declaration
    }

    /// By scalars: a quote stays one when a combining mark follows it.
    private static func quoted(_ text: String, _ quote: Unicode.Scalar) -> String {
        var result = String.UnicodeScalarView([quote])
        for scalar in text.unicodeScalars {
            if scalar == quote || scalar == "\\" { result.append("\\") }
            result.append(scalar)
        }
        result.append(quote)
        return String(result)
    }
}
