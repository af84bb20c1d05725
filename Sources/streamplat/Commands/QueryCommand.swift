import ArgumentParser
import Diagnostics
import PluginAPI
import StreamplatKit
import TerminalViews

struct QueryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Look at the results: run SQL against a sink, or list its tables.")

    @Argument(help: "The SQL; else the tables with their row counts.")
    var sql: String?

    @Option(name: .long, help: "The domain: its name or the path of its file; else default_domain.")
    var domain: String?

    @Option(name: .long, help: "The sink.")
    var sink = "primary"

    @Option(name: .long, help: "Draw this column as bars.")
    var chart: String?

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let project = try global.load(domain: domain, needsDomain: false).resolvingSecrets(notify: global.notify)
        guard let definition = project.platform.sink(sink) else {
            let names = project.platform.sinks.map(\.name)
            throw DiagnosticsError(
                Diagnostic(
                    .invalidValue, "there is no sink '\(sink)'",
                    hint: nearestName(to: sink, among: names).map { "did you mean '\($0)'?" } ?? "there is \(names.joined(separator: ", "))"))
        }
        let opened = try project.openSink(sink, notify: global.notify)
        let result: QueryResult
        if let sql {
            guard let found = try opened.query(sql) else { throw notQueryable(definition.plugin.type) }
            result = found
        } else {
            guard let tables = try opened.tables() else { throw notQueryable(definition.plugin.type) }
            result = QueryResult(
                columns: ["table", "rows"], rows: tables.map { [.text($0.name), .integer($0.rows)] })
        }
        try opened.close()
        if let chart { return try draw(chart, of: result) }
        switch global.output {
        case .json: print(QueryText.json(result))
        case .csv: print(QueryText.csv(result), terminator: "")
        case .text: print(TerminalTable.render(result, maximumWidth: Terminal.isTerminal(1) ? Terminal.width : nil))
        }
    }

    private func notQueryable(_ type: String) -> PipelineError {
        PipelineError(
            .notQueryable, "sink '\(sink)' is of type \(type), which cannot be queried",
            hint: "use a sink of type sqlite, or look at what it wrote")
    }

    /// Bars of one numeric column; every other column is part of the label.
    private func draw(_ column: String, of result: QueryResult) throws {
        guard let index = result.columns.firstIndex(of: column) else {
            throw DiagnosticsError(
                Diagnostic(
                    .invalidValue, "--chart \(column): the result has no such column",
                    hint: nearestName(to: column, among: result.columns).map { "did you mean '\($0)'?" }
                        ?? "it has \(result.columns.joined(separator: ", "))"))
        }
        var values: [Double] = []
        for row in result.rows {
            switch row[index] {
            case .null: values.append(0)
            case .integer(let value): values.append(Double(value))
            case .double(let value): values.append(value)
            case .text(let text):
                guard let value = Double(text) else {
                    throw DiagnosticsError(
                        Diagnostic(.invalidValue, "--chart \(column): '\(text)' is not a number", hint: "choose a numeric column"))
                }
                values.append(value)
            }
        }
        let labels = result.rows.map { row in
            row.enumerated().filter { $0.offset != index }.map { QueryText.cell($0.element) }.joined(separator: "  ")
        }
        print(BarChart.render(labels: labels, values: values, title: column, width: Terminal.isTerminal(1) ? Terminal.width : 80))
    }
}
