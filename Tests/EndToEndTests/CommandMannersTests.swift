import Foundation
import Testing

extension EndToEnd {
    /// What commands say when they end early, and what they leave behind.
    @Suite("Manners of commands")
    struct CommandMannersTests {
        @Test("An error stands below the plan that it is about, also where both go into one pipe")
        func order() async throws {
            let project = try TestProject()
            let outcome = try await project.shell("\"$0\" \"$@\" 2>&1 | cat", ["apply", "ecommerce"])
            let plan = try #require(outcome.output.firstRange(of: "+ topic events.purchase"), "\(outcome)")
            let error = try #require(outcome.output.firstRange(of: "add --yes"), "\(outcome)")
            #expect(plan.upperBound <= error.lowerBound, "\(outcome)")
        }

        @Test("A second run of a domain is told so, not that the first one's monitoring port is taken")
        func secondRun() async throws {
            let project = try TestProject()
            try await project.streamplat("apply", "ecommerce", "--yes")
            let first = try project.start(["run", "ecommerce", "--set", "monitoring.port=0"])
            let address = try await first.monitoringAddress()
            let port = address.split(separator: ":").last ?? ""
            while try await HTTP.get("http://\(address)/readyz")?.status != 200 {
                try #require(first.isRunning)
                try await Task.sleep(for: .milliseconds(50))
            }
            let second = try await project.streamplat(
                "run", "ecommerce", exit: 1, settings: ["monitoring.port=\(port)"], limit: .seconds(60))
            #expect(second.errors.contains("SP6101") && !second.errors.contains("SP6130"), "\(second)")
            first.send(SIGTERM)
            let outcome = try await first.wait(limit: .seconds(60))
            #expect(outcome.code == 0, "\(outcome)")
        }

        @Test("A registry that cannot listen leaves nothing behind")
        func registry() async throws {
            let project = try TestProject()
            let taken = try Prometheus.occupiedPort()
            let outcome = try await project.streamplat("registry", "--port", "\(taken.port)", exit: 3)
            #expect(outcome.errors.contains("\(taken.port)"), "\(outcome)")
            #expect(!FileManager.default.fileExists(atPath: project.path(".streamplat")))
            try taken.socket.close()
        }

        @Test(
            "Wrong use is told as JSON to who asked for JSON",
            arguments: [
                ["plan", "--output", "json", "--colour"], ["plan", "--output=json", "a", "b"],
                ["query", "--output", "json", "--chart", "n"],
            ])
        func wrongUse(_ arguments: [String]) async throws {
            let project = try TestProject()
            let outcome = try await project.start(arguments).wait(limit: .seconds(30))
            #expect(outcome.code == 2 && outcome.output.isEmpty, "\(outcome)")
            let found = try JSONSerialization.jsonObject(with: Data(outcome.errors.utf8)) as? [[String: Any]]
            let finding = try #require(found?.first, "\(outcome)")
            #expect(finding["code"] as? String == "SP6150", "\(outcome)")
            #expect((finding["hint"] as? String)?.hasPrefix("Usage: streamplat \(arguments[0])") == true, "\(outcome)")
        }
    }
}
