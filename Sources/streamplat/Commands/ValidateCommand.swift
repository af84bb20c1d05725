import ArgumentParser
import ConfigTree
import Diagnostics
import PlatformModel
import ProjectConfig
import StreamplatKit
import TerminalViews

struct ValidateCommand: FormattedCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check a domain with all its layers: everything typed and bound, no network, no secret needed.")
    static let formats: [OutputFormat] = [.text, .json]

    @OptionGroup var domain: DomainArgument
    @OptionGroup var global: GlobalOptions

    func run() throws {
        let project = try global.load(domain: domain.name)
        let definition = try project.requireDomain()
        try TopicOwnership(project).conflicts().throwIfErrors()
        if global.output == .json {
            let summary = JSONValue.object([
                "domain": .string(definition.name), "environment": .string(project.configuration.environment),
                "event_types": .array(definition.eventTypes.map { .string($0.name) }),
                "streams": .array(definition.streams.map { .string($0.name) }),
                "aggregations": .array(definition.aggregations.map { .string($0.name) }),
                "valid": .boolean(true),
            ])
            return print(summary.text())
        }
        for aggregation in definition.aggregations where aggregation.inputsAreInferred {
            global.say(
                "  \(aggregation.name) reads \(aggregation.inputs.joined(separator: ", ")) (inferred; write `from:` to fix it)"
            )
        }
        for stream in definition.streams {
            let columns = stream.columns.map(\.resultName).joined(separator: ", ")
            global.say(
                "  stream \(stream.name) of \(stream.parent ?? stream.eventType): \(columns)"
                    + (stream.sink.map { " → table \(stream.name) in sink \($0)" } ?? ""))
        }
        global.say(
            "\(project.configuration.domainFile ?? definition.name) is valid: "
                + NumberText.counted(definition.eventTypes.count, "event type") + ", "
                + (definition.streams.isEmpty
                    ? "" : NumberText.counted(definition.streams.count, "stream") + ", ")
                + NumberText.counted(definition.aggregations.count, "aggregation") + ", "
                + NumberText.counted(definition.alerts.count, "alert") + " "
                + "(environment \(project.configuration.environment))")
    }
}
