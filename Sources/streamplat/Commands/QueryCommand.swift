import ArgumentParser
import Diagnostics
import PlatformModel
import PluginAPI
import ProjectConfig
import StreamplatKit
import TerminalViews

struct QueryCommand: FormattedCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Look at the results: run SQL against a sink, or list its tables.")
    static let formats: [OutputFormat] = [.text, .json, .csv]

    @Argument(help: "The SQL; else the tables with their row counts.")
    var sql: String?

    @Option(name: .long, help: "The domain: its name or the path of its file; else default_domain.")
    var domain: String?

    @Option(name: .long, help: "The sink.")
    var sink = "primary"

    @Option(name: .long, help: "Draw this column as bars.")
    var chart: String?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if chart != nil, global.output != .text {
            throw ValidationError(
                "--chart draws bars for people; --output \(global.output.rawValue) prints rows for programs. Use one of them."
            )
        }
    }

    func run() throws {
        let project = try global.load(domain: domain, needsDomain: false)
            .resolvingSecrets(of: [.sink(sink)], notify: global.notify)
        guard let definition = project.platform.sink(sink) else {
            let names = project.platform.sinks.map(\.name)
            throw DiagnosticsError(
                Diagnostic(
                    .invalidValue, "there is no sink '\(sink)'",
                    hint: nearestName(to: sink, among: names).map { "did you mean '\($0)'?" }
                        ?? "there is \(names.joined(separator: ", "))"))
        }
        let opened = try project.openSink(sink, .inspect, notify: global.notify)
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
        case .json: print(QueryText.json(result), terminator: "")
        case .csv: print(QueryText.csv(result), terminator: "")
        case .text:
            print(
                TerminalTable.render(result, maximumWidth: Terminal.isTerminal(1) ? Terminal.width : nil),
                terminator: "")
        }
    }

    private func notQueryable(_ type: String) -> PipelineError {
        PipelineError(
            .notQueryable, "sink '\(sink)' is of type \(type), which cannot be queried",
            hint: "use a sink of type sqlite, or look at what it wrote")
    }

    private func draw(_ column: String, of result: QueryResult) throws {
        do {
            let series = try ChartSeries(result, column: column)
            let width = Terminal.isTerminal(1) ? Terminal.width : 80
            print(
                BarChart.render(labels: series.labels, values: series.values, title: column, width: width),
                terminator: "")
        } catch {
            throw DiagnosticsError(
                Diagnostic(
                    .invalidValue, "--chart: \(error)",
                    hint: nearestName(to: column, among: result.columns).map { "did you mean '\($0)'?" }))
        }
    }
}
