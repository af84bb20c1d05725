import ArgumentParser
import Diagnostics
import PlatformModel
import PluginAPI
import ProjectConfig
import Provisioning
import StreamplatKit

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show what differs from the live system. Changes nothing.")

    @OptionGroup var domain: DomainArgument
    @OptionGroup var global: GlobalOptions

    func run() throws {
        let system = try global.open(domain: domain.name, .inspect)
        var shown: Plan?
        _ = try system.provision(
            confirm: {
                shown = $0
                return false
            }, progress: { _ in })
        try system.close()
        guard let plan = shown else { return }
        print(global.output == .json ? PlanView.json(plan).text() : PlanView.text(plan))
        try plan.diagnostics.throwIfErrors(exitCode: 1)
    }
}
