import ArgumentParser
import Diagnostics
import PluginAPI
import StreamplatKit
import TerminalViews

extension DeadLetterCommand {
    struct Replay: FormattedCommand {
        static let configuration = CommandConfiguration(
            commandName: "replay",
            abstract: "Send the originals of dead letters to their topics again, after the cause is mended.",
            discussion: """
                A run counts each only where the original was refused, as if it had been good at its place. Shows what it \
                will do first and asks on a terminal; without one it needs --yes.
                """)
        static let formats: [OutputFormat] = [.text, .json]

        @OptionGroup var selection: Selection

        @Flag(name: .long, help: "Also letters that were sent again before.")
        var again = false

        @Flag(name: .customLong("dry-run"), help: "Only say what would be sent.")
        var dryRun = false

        @Flag(name: [.customShort("y"), .long], help: "Do not ask.")
        var yes = false

        @OptionGroup var global: GlobalOptions

        func validate() throws {
            if dryRun, yes { throw ValidationError("--dry-run sends nothing and --yes does. Use one of them.") }
        }

        func run() throws {
            let project = try global.load(domain: selection.domain.name)
            let filter = try selection.makeFilter()
            let system = try LiveSystem(
                project, domain: try project.requireDomain(), access: dryRun ? .inspect : .change,
                notify: global.notify)
            let replay = try LetterReplay(system, filter: filter, isAgain: again)
            let plan = try replay.plan()
            describe(plan)
            var sent = 0
            if !plan.isEmpty, !dryRun {
                let isConfirmed = try Confirmation(isYes: yes, isText: global.output == .text).ask(
                    "send them again?", missing: "there is no terminal to ask whether to send these again",
                    hint: "look at the list above, then add --yes")
                guard isConfirmed else {
                    global.say("nothing was sent")
                    throw ExitCode(1)
                }
                sent = try replay.run(plan)
            }
            try system.close()
            show(plan, sent: sent)
        }

        private func describe(_ plan: LetterReplay.Plan) {
            for (topic, count) in plan.records.sorted(by: { $0.key < $1.key }) {
                global.say(
                    "  \(topic): \(count == 1 ? "1 record" : "\(NumberText.grouped(count)) records") to send again")
            }
            for (table, count) in plan.tables.sorted(by: { $0.key < $1.key }) {
                global.say(
                    "  \(table): \(count == 1 ? "1 row was" : "\(NumberText.grouped(count)) rows were") refused; the next "
                        + "run counts the table anew from the earliest offset")
            }
            for (reason, count) in plan.refused.sorted(by: { $0.key < $1.key }) {
                global.say(
                    "  \(count == 1 ? "1 letter is" : "\(NumberText.grouped(count)) letters are") left: \(reason)")
            }
            for warning in plan.warnings { global.notify(warning) }
        }

        private func show(_ plan: LetterReplay.Plan, sent: Int) {
            if global.output == .json {
                return print(
                    JSONValue.object([
                        "letters": .integer(plan.letters), "sent": .integer(sent), "dry_run": .boolean(dryRun),
                        "records": .object(plan.records.mapValues { .integer($0) }),
                        "tables": .object(plan.tables.mapValues { .integer($0) }),
                        "left": .object(plan.refused.mapValues { .integer($0) }),
                        "warnings": .array(plan.warnings.map { .string($0) }),
                    ]).text())
            }
            if plan.isEmpty { return global.say("there is nothing to send again") }
            if dryRun { return global.say("nothing was sent: --dry-run") }
            let records = plan.recordCount
            global.say(
                "sent \(records == 1 ? "1 record" : "\(NumberText.grouped(records)) records") again; `streamplat run` counts "
                    + "them, and counts an aggregation anew where it has closed their windows")
        }
    }
}
