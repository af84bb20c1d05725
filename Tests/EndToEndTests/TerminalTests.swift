import Foundation
import Testing

extension EndToEnd {
    /// What a person sees on a real terminal: lines that live and go away.
    @Suite("On a terminal")
    struct TerminalTests {
        private struct Seen: Decodable {
            var code: Int32
            var frames: [String]
            var screen: [String]
        }

        private func onTerminal(
            _ project: TestProject, _ options: [String] = [], _ arguments: [String]
        ) async throws -> Seen {
            let outcome = try await project.python("terminal.py", options + ["--", Requirements.binary] + arguments)
            try #require(outcome.code == 0, "\(outcome)")
            return try JSONDecoder().decode(Seen.self, from: Data(outcome.output.utf8))
        }

        private func applied() async throws -> TestProject {
            let project = try TestProject()
            try await project.streamplat("apply", "ecommerce", "--yes")
            return project
        }

        @Test("generate shows a bar that grows, then one lasting line")
        func progress() async throws {
            let seen = try await onTerminal(
                try await applied(), [],
                ["generate", "ecommerce", "--events", "3000", "--rate", "3000", "--span", "1h"])
            #expect(seen.code == 0)
            let shown = seen.frames.filter { $0.contains("generating") }
            #expect(shown.count >= 3 && shown.allSatisfy { $0.contains("/3,000") && $0.contains("▕") }, "\(seen)")
            let percents = shown.compactMap { $0.firstMatch(of: /(\d+)%/).flatMap { Int($0.1) } }
            #expect(percents == percents.sorted() && Set(percents).count >= 3, "\(seen)")
            #expect(seen.screen.first?.hasPrefix("generated 3,000 events in ") == true, "\(seen)")
            #expect(!seen.screen.contains { $0.contains("generating") }, "\(seen)")
        }

        @Test("run shows rate, lag and watermark while it works, and nothing of it stays")
        func status() async throws {
            let project = try await applied()
            let generator = try project.start([
                "generate", "ecommerce", "--events", "150000", "--rate", "60000", "--span", "1h", "--quiet",
            ])
            let seen = try await onTerminal(
                project, ["--interrupt-after", "2.0"],
                // Else the watermark waits half a minute for partitions that have no event.
                [
                    "run", "ecommerce", "--set", "runtime.idle_timeout=300 ms", "--set",
                    "runtime.flush_interval=100 ms",
                ])
            _ = try await generator.wait(limit: .seconds(30))
            #expect(seen.code == 0)
            let shown = seen.frames.filter { !$0.isEmpty }
            #expect(shown.count >= 4 && shown.allSatisfy { $0.contains("events/s") && $0.contains("lag") }, "\(seen)")
            #expect(shown.contains { !$0.hasPrefix("0 events/s") && $0.contains("watermark 2") }, "\(seen)")
            let rest = seen.screen.filter { !$0.isEmpty }
            #expect(!rest.contains { $0.contains("lag") || $0.contains("watermark") }, "\(seen)")
            #expect(rest.last?.firstMatch(of: #/^\d+,\d+ events in /#) != nil, "\(seen)")
        }

        @Test("an interrupt from the keyboard drains, takes the line away and ends with 0")
        func interrupt() async throws {
            let seen = try await onTerminal(try await applied(), ["--interrupt-after", "0.6"], ["run", "ecommerce"])
            #expect(seen.code == 0 && seen.frames.contains { $0.contains("events/s") }, "\(seen)")
            let rest = seen.screen.filter { !$0.isEmpty }
            #expect(!rest.contains { $0.contains("lag") }, "\(seen)")
            #expect(rest.contains { $0.contains("stopping") } && rest.last?.contains("0 events in") == true, "\(seen)")
        }

        @Test("a line never wraps: on a narrow terminal it is cut", arguments: [24, 40])
        func narrow(_ columns: Int) async throws {
            let seen = try await onTerminal(
                try await applied(), ["--columns", "\(columns)", "--interrupt-after", "0.5"], ["run", "ecommerce"])
            #expect(!seen.frames.isEmpty && seen.frames.allSatisfy { $0.count < columns }, "\(seen)")
        }

        @Test("--quiet shows no line, and --no-color no colour")
        func quiet() async throws {
            let project = try await applied()
            let seen = try await onTerminal(
                project, [], ["generate", "ecommerce", "--events", "2000", "--rate", "4000", "--span", "1h", "--quiet"])
            #expect(seen.code == 0 && seen.frames.isEmpty && seen.screen == [""], "\(seen)")
        }
    }
}
