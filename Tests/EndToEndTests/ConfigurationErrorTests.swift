import Foundation
import Testing

extension EndToEnd {
    /// What a person wrote wrongly: `validate` says where and what, and needs nothing but the files.
    @Suite("Mistakes in the files")
    struct ConfigurationErrorTests {
        struct Mistake: Sendable, CustomTestStringConvertible {
            var name: String
            /// The bytes of domains/shop.yaml.
            var text: [UInt8]
            /// `file:line` of the error's place.
            var place: String
            var words: [String]
            var testDescription: String { name }

            init(_ name: String, _ old: String, _ new: String, line: Int, _ words: String...) {
                self.name = name
                text = Array(ConfigurationErrorTests.shop.replacingOccurrences(of: old, with: new).utf8)
                place = "domains/shop.yaml:\(line)"
                self.words = words
            }
        }

        static let shop = """
            domain: shop
            entity: { primary_key: user_id }
            event_types:
              - name: purchase
                metrics: [{ name: amount, type: money }]
                dimensions: [currency]
              - name: visit
                dimensions: [page]
            aggregations:
              - name: revenue
                from: [purchase]
                type: sum
                field: amount
                window: { type: tumbling, duration: 1 hour }
                group_by: [currency]
            """ + "\n"

        static let mistakes = [
            Mistake(
                "typo in a top-level key", "aggregations:", "agregations:", line: 9, "agregations",
                "did you mean 'aggregations'"),
            Mistake("typo in a deep key", "group_by:", "grup_by:", line: 15, "grup_by", "did you mean 'group_by'"),
            Mistake("wrong type", "metrics: [{ name: amount, type: money }]", "metrics: 5", line: 5, "metrics"),
            Mistake("bad duration", "1 hour", "one hour", line: 14, "one hour"),
            Mistake("negative window", "1 hour", "-1 hour", line: 14, "duration"),
            Mistake(
                "slide longer than the duration", "tumbling, duration: 1 hour",
                "sliding, duration: 1 hour, slide: 2 hours", line: 14, "slide"),
            Mistake("unknown field", "field: amount", "field: amuont", line: 13, "amuont", "did you mean 'amount'"),
            Mistake("sum over a string", "field: amount", "field: currency", line: 13, "sum", "currency"),
            Mistake("duplicate event type", "name: visit", "name: purchase", line: 7, "purchase"),
            Mistake(
                "unknown event type", "from: [purchase]", "from: [purchse]", line: 11, "purchse",
                "did you mean 'purchase'"),
            Mistake("duplicate key", "    type: sum\n", "    type: sum\n    type: avg\n", line: 13, "type"),
            Mistake("unknown alias", "from: [purchase]", "from: *nobody", line: 11, "nobody"),
            Mistake("cyclic alias", "from: [purchase]", "from: &loop [*loop]", line: 11, "loop"),
            Mistake("tab in the indentation", "    type: sum", "\ttype: sum", line: 12, "tab"),
            Mistake("two documents", "aggregations:", "---\naggregations:", line: 9, "document"),
        ]

        @Test("is found by validate, with its place and a hint", arguments: mistakes)
        func found(_ mistake: Mistake) async throws {
            let project = try TestProject()
            try project.write(Data(mistake.text), to: "domains/shop.yaml")
            let outcome = try await project.streamplat("validate", "shop", exit: 2)
            #expect(outcome.errors.contains(mistake.place), "\(outcome)")
            for word in mistake.words { #expect(outcome.errors.contains(word), "\(outcome)") }
        }

        @Test("An alias bomb is refused at once and in little memory")
        func aliasBomb() async throws {
            let project = try TestProject()
            var text = Self.shop + "x-bomb:\n  - &a0 [boom, boom, boom, boom, boom, boom, boom, boom, boom, boom]\n"
            for level in 1...12 {
                let parts = repeatElement("*a\(level - 1)", count: 10).joined(separator: ", ")
                text += "  - &a\(level) [\(parts)]\n"
            }
            try project.write(text, to: "domains/shop.yaml")
            // 2 GiB of address space: enough for any program, nothing for 10^13 nodes.
            let outcome = try await project.shell(
                "ulimit -v 2097152; exec \"$0\" \"$@\"", ["validate", "shop"], limit: .seconds(20))
            #expect(outcome.code == 2, "\(outcome)")
            #expect(outcome.errors.contains("domains/shop.yaml:") && outcome.errors.contains("alias"), "\(outcome)")
        }

        @Test("Bytes that are no UTF-8 are refused with their place")
        func notUTF8() async throws {
            let project = try TestProject()
            var bytes = Data(Self.shop.utf8)
            bytes.append(contentsOf: Array("description: caf".utf8) + [0xe9, 0x0a])
            try project.write(bytes, to: "domains/shop.yaml")
            let outcome = try await project.streamplat("validate", "shop", exit: 2)
            #expect(outcome.errors.contains("domains/shop.yaml") && outcome.errors.contains("UTF-8"), "\(outcome)")
        }

        @Test("All mistakes of a file are reported in one run")
        func allAtOnce() async throws {
            let project = try TestProject()
            let text = Self.shop.replacingOccurrences(of: "group_by", with: "grup_by")
                .replacingOccurrences(of: "field: amount", with: "field: amuont")
                .replacingOccurrences(of: "1 hour", with: "0 seconds")
                .replacingOccurrences(of: "[page]", with: "[page, page]")
            try project.write(text, to: "domains/shop.yaml")
            let outcome = try await project.streamplat("validate", "shop", exit: 2)
            for line in [8, 13, 14, 15] { #expect(outcome.errors.contains("domains/shop.yaml:\(line):"), "\(outcome)") }
        }

        @Test("The same findings as JSON")
        func json() async throws {
            let project = try TestProject()
            try project.write(Self.shop.replacingOccurrences(of: "group_by", with: "grup_by"), to: "domains/shop.yaml")
            let outcome = try await project.streamplat("validate", "shop", "--output", "json", exit: 2)
            let printed = outcome.output.isEmpty ? outcome.errors : outcome.output
            let value = try JSONSerialization.jsonObject(with: Data(printed.utf8))
            let text = String(
                decoding: try JSONSerialization.data(withJSONObject: value, options: .withoutEscapingSlashes),
                as: UTF8.self)
            #expect(
                text.contains("SP") && text.contains("domains/shop.yaml") && text.contains("group_by"), "\(outcome)")
        }

        @Test("A missing file ends with 3 and its name, an unknown domain with 2 and the nearest one")
        func missingFile() async throws {
            let project = try TestProject()
            let byPath = try await project.streamplat("validate", "domains/nosuch.yaml", exit: 3)
            #expect(byPath.errors.contains("domains/nosuch.yaml"), "\(byPath)")
            let byName = try await project.streamplat("validate", "ecomerce", exit: 2)
            #expect(byName.errors.contains("ecomerce") && byName.errors.contains("ecommerce"), "\(byName)")
            try await project.streamplat("apply", "cdnow", "--yes")
            let ingested = try await project.streamplat(
                "ingest", "purchase", "nosuch.csv", "--domain", "cdnow", exit: 3)
            #expect(ingested.errors.contains("nosuch.csv"), "\(ingested)")
        }

        @Test(
            "An unknown plugin type lists the known ones",
            arguments: [
                ("sinks.primary.type=clickhose", ["clickhose", "sqlite", "console", "file"]),
                ("broker.type=kafkaa", ["kafkaa", "embedded"]), ("secrets.type=valt", ["valt", "env", "file"]),
            ])
        func unknownPlugin(_ setting: String, _ words: [String]) async throws {
            let project = try TestProject()
            let outcome = try await project.streamplat("validate", "ecommerce", exit: 2, settings: [setting])
            for word in words { #expect(outcome.errors.contains(word), "\(outcome)") }
        }

        @Test("validate needs no network and no secret; apply reports all secrets that are missing")
        func secrets() async throws {
            let project = try TestProject()
            let settings = [
                "sinks.primary.sqlite.path=$<secret:RESULTS_FILE>", "broker.embedded.path=$<secret:LOG_FOLDER>",
            ]
            let arguments = settings.flatMap { ["--set", $0] }
            // An own network namespace holds no network at all; where it is not permitted, the rest is still tested.
            let isolated = try await project.shell(
                "if unshare -n true 2>/dev/null; then exec unshare -n \"$0\" \"$@\"; else exec \"$0\" \"$@\"; fi",
                ["validate", "ecommerce"] + arguments)
            #expect(isolated.code == 0, "\(isolated)")
            let applied = try await project.streamplat("apply", "ecommerce", "--yes", exit: 2, settings: settings)
            for word in ["RESULTS_FILE", "LOG_FOLDER"] { #expect(applied.errors.contains(word), "\(applied)") }
            let shown = try await project.streamplat(
                "config", "show", "--domain", "ecommerce", settings: settings,
                environment: ["RESULTS_FILE": "hidden-value-1", "LOG_FOLDER": "hidden-value-2"])
            #expect(shown.output.contains("***") && !(shown.output + shown.errors).contains("hidden-value"), "\(shown)")
        }

        @Test("With its secrets there, apply uses them and prints none of them")
        func secretsInPlace() async throws {
            let project = try TestProject()
            let outcome = try await project.streamplat(
                "apply", "ecommerce", "--yes", settings: ["sinks.primary.sqlite.path=$<secret:RESULTS_FILE>"],
                environment: ["RESULTS_FILE": ".streamplat/hidden-value.db"])
            #expect(FileManager.default.fileExists(atPath: project.path(".streamplat/hidden-value.db")))
            #expect(!(outcome.output + outcome.errors).contains("hidden-value"), "\(outcome)")
        }
    }
}
