import ArgumentParser
import DataPath
import Diagnostics
import PlatformModel
import PluginAPI
import StreamplatKit
import TerminalViews

/// `streamplat dlq`: what became of records that could not be used.
struct DeadLetterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dlq", abstract: "Look at records that could not be used, and send them again.",
        discussion: """
            --filter takes a predicate in SQL over \(LetterFilter.names.joined(separator: ", ")):
              streamplat dlq show --filter "code = 'SP6106' and time > timestamp '2026-11-01 00:00:00'"
            """,
        subcommands: [List.self, Show.self, Replay.self])

    /// What the commands have in common.
    struct Selection: ParsableArguments {
        @OptionGroup var domain: DomainArgument

        @Option(name: .long, help: "A predicate over the letters; else all.")
        var filter: String?

        /// Checks the predicate, with an excerpt of it for its errors.
        func makeFilter() throws -> LetterFilter? {
            guard let filter else { return nil }
            var sources = SourceTexts()
            sources[LetterFilter.place.file] = SourceText(lines: [filter])
            Failure.setSources(sources)
            return try LetterFilter(filter)
        }
    }

    struct List: FormattedCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Count the dead letters by what went wrong and where.")
        static let formats: [OutputFormat] = [.text, .json, .csv]

        @OptionGroup var selection: Selection
        @OptionGroup var global: GlobalOptions

        func run() throws {
            let project = try global.load(domain: selection.domain.name)
            let filter = try selection.makeFilter()
            let broker = try project.resolvingSecrets(of: [.broker], notify: global.notify)
                .openBroker(.inspect, notify: global.notify)
            let reader = try LetterReader(
                try project.requireDomain(), broker: broker, topicPrefix: project.platform.topicPrefix)
            var summary = LetterSummary()
            try reader.read { letters in
                for letter in try filter?.select(letters) ?? letters { summary.add(letter) }
                return true
            }
            try broker.close()
            show(summary, others: reader.otherLetters, topic: reader.topicName)
        }

        private func show(_ summary: LetterSummary, others: Int, topic: String) {
            let result = QueryResult(
                columns: [
                    "stage", "code", "source", "event_type", "aggregation", "stream", "step", "letters", "replayed",
                    "first", "last", "message",
                ],
                rows: summary.groups.map { group in
                    [
                        .text(group.key.stage), .text(group.key.code), .text(group.key.source),
                        group.key.eventType.map { .text($0) } ?? .null,
                        group.key.aggregation.map { .text($0) } ?? .null,
                        group.key.stream.map { .text($0) } ?? .null,
                        group.key.step.map { .integer(Int64($0)) } ?? .null, .integer(Int64(group.letters)),
                        .integer(Int64(group.replayed)), .text(TextFormat.timestamp(group.firstTime)),
                        .text(TextFormat.timestamp(group.lastTime)), .text(group.message),
                    ]
                })
            switch global.output {
            case .json: print(QueryText.json(result), terminator: "")
            case .csv: print(QueryText.csv(result), terminator: "")
            case .text:
                print(
                    TerminalTable.render(result, maximumWidth: Terminal.isTerminal(1) ? Terminal.width : nil),
                    terminator: "")
            }
            if others > 0 {
                global.say("\(NumberText.grouped(others)) letters of other domains in \(topic) are not counted here")
            }
        }
    }
}
