import ArgumentParser
import Diagnostics
import PluginAPI
import StreamplatKit
import TerminalViews

struct HealthCommand: FormattedCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Look at every part of the environment: is it there, which version, how fast.",
        discussion: "Exit code 3 when a part cannot be used.")
    static let formats: [OutputFormat] = [.text, .json, .csv]

    @OptionGroup var domain: DomainArgument
    @OptionGroup var global: GlobalOptions

    func run() throws {
        let project = try global.load(domain: domain.name, needsDomain: false)
        let reports = HealthCheck(project, notify: global.notify).run()
        switch global.output {
        case .json: print(JSONValue.array(reports.map(\.json)).text())
        case .csv: print(QueryText.csv(table(reports)), terminator: "")
        case .text:
            print(TerminalTable.render(table(reports), maximumWidth: nil), terminator: "")
            for report in reports {
                guard let fault = report.fault else { continue }
                print("\n\(report.component) (\(report.type)): \(fault)")
                for note in report.notes {
                    let place = note.location.map { ": \($0.file):\($0.line):\($0.column)" } ?? ""
                    print("   note: \(note.message)\(place)")
                }
                if let hint = report.hint { print("   hint: \(hint)") }
            }
        }
        if reports.contains(where: { $0.health == nil }) { throw ExitCode(3) }
    }

    private func table(_ reports: [HealthCheck.Report]) -> QueryResult {
        QueryResult(
            columns: ["component", "type", "state", "ms", "version", "detail"],
            rows: reports.map { report in
                [
                    .text(report.component), .text(report.type), .text(report.health == nil ? "down" : "ok"),
                    .integer(Int64(report.milliseconds.rounded())),
                    .text(report.health?.version ?? ""),
                    .text(report.health?.detail ?? ""),
                ]
            })
    }
}

extension HealthCheck.Report {
    fileprivate var json: JSONValue {
        var members: [String: JSONValue] = [
            "component": .string(component), "type": .string(type), "ok": .boolean(health != nil),
            "milliseconds": .number(milliseconds),
        ]
        if let health {
            members["version"] = .string(health.version)
            if let detail = health.detail { members["detail"] = .string(detail) }
        }
        if let fault { members["error"] = .string(fault) }
        if let hint { members["hint"] = .string(hint) }
        if !notes.isEmpty {
            members["notes"] = .array(
                notes.map { note in
                    .object([
                        "message": .string(note.message),
                        "file": note.location.map { .string($0.file) } ?? .null,
                        "line": note.location.map { .integer($0.line) } ?? .null,
                    ])
                })
        }
        return .object(members)
    }
}
