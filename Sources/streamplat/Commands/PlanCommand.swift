import ArgumentParser
import Diagnostics
import PlatformModel
import PluginAPI
import ProjectConfig
import Provisioning
import StreamplatKit

struct PlanCommand: FormattedCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show what differs from the live system. Changes nothing.")
    static let formats: [OutputFormat] = [.text, .json]

    @OptionGroup var domain: DomainArgument
    @OptionGroup var global: GlobalOptions

    func run() throws {
        let system = try global.open(domain: domain.name, .inspect)
        let plan = try system.plan()
        try system.close()
        print(global.output == .json ? PlanView.json(plan).text() : PlanView.text(plan))
        try plan.diagnostics.throwIfErrors(exitCode: 1)
        Failure.report(plan.diagnostics)
    }
}
