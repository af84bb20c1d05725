import ArgumentParser
import Diagnostics
import PlatformModel
import ProjectConfig
import Provisioning
import StreamplatKit

struct ApplyCommand: FormattedCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Make the live system what the domain says: schemas, topics, tables.",
        discussion: "Shows the plan first and asks on a terminal; without one it needs --yes. Nothing is ever dropped.")
    static let formats: [OutputFormat] = [.text, .json]

    @OptionGroup var domain: DomainArgument

    @Flag(name: [.customShort("y"), .long], help: "Do not ask.")
    var yes = false

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let system = try global.open(domain: domain.name)
        let files = SchemaFiles(domain: system.domain, root: system.project.configuration.root)
        let plan = try system.plan()
        // With errors they are reported together.
        if !plan.diagnostics.hasErrors { Failure.report(plan.diagnostics) }
        if !plan.isEmpty {
            global.say(PlanView.text(plan))
            try plan.diagnostics.throwIfErrors(exitCode: 1)
            let isConfirmed = try Confirmation(isYes: yes, isText: global.output == .text).ask(
                "apply these changes?", missing: "there is no terminal to ask whether to apply this",
                hint: "look at the plan above, then add --yes")
            guard isConfirmed else {
                global.say("nothing was changed")
                throw ExitCode(1)
            }
            try system.apply(plan) { Log.write(.debug, "done: \($0.kind.rawValue) \($0.name)") }
        }
        for path in try files.write() { global.say("  wrote \(path)") }
        try system.close()
        if global.output == .json {
            print(PlanView.json(plan).text())
        } else if plan.isEmpty {
            global.say("domain '\(system.domain.name)' is applied already: nothing to do")
        } else {
            global.say("domain '\(system.domain.name)' is applied: \(plan.changes.count) changes")
        }
    }
}
