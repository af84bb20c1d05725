import Foundation
import Testing

extension EndToEnd {
    /// The environments that come with the project.
    @Suite("Shipped environments")
    struct EnvironmentTests {
        @Test(
            "Every domain is valid in every environment, without a network, a variable or a secret",
            arguments: ["local", "dev", "prod"])
        func valid(_ environment: String) async throws {
            let project = try TestProject()
            for domain in ["ecommerce", "iot", "fintech", "logistics", "cdnow", "clickstream"] {
                let outcome = try await project.streamplat("validate", domain, "-e", environment)
                #expect(outcome.output.contains("is valid"), "\(outcome)")
                #expect(outcome.errors.isEmpty, "\(outcome)")
            }
        }

        @Test("Every file of environments/ is one of the tested ones")
        func complete() throws {
            let project = try TestProject()
            #expect(
                project.files("environments", suffix: ".yaml") == ["dev.yaml", "local.yaml", "prod.yaml"])
        }
    }
}
