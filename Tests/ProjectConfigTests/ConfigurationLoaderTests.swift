import ConfigTree
import Diagnostics
import Foundation
import ProjectConfig
import Testing

@Suite("Loading a project")
struct ConfigurationLoaderTests {
    private func project() throws -> TemporaryProject {
        try TemporaryProject([
            "config/platform.yaml": """
            default_domain: shop
            runtime: { workers: auto, batch_rows: 4096 }
            sinks:
              primary: { type: sqlite, sqlite: { path: results.db } }
            kafka: { topics: { partitions: 4 } }
            types: { status: { type: string, default: new } }
            """,
            "environments/local.yaml": "runtime: { batch_rows: 1024 }\n",
            "config/environments/prod.yaml": """
            sinks:
              primary: { type: clickhouse, sqlite: null }
            domains:
              shop: { kafka: { topics: { partitions: 12 } } }
              bank: { kafka: { topics: { partitions: 99 } } }
            """,
            "domains/shop.yaml":
                "domain: shop\nkafka: { topics: { partitions: 8 } }\ntypes: { status: { default: null } }\n",
            "config/domains/bank.yaml": "domain: bank\n",
        ])
    }

    @Test("layers come in their order: platform, environment, domain, the environment's block, --set")
    func order() throws {
        let project = try project()
        let local = try project.load()
        #expect((local.environment, local.domainName, local.domainFile) == ("local", "shop", "domains/shop.yaml"))
        #expect(local.tree.node(at: "runtime.batch_rows")?.scalar?.text == "1024")
        #expect(local.tree.node(at: "kafka.topics.partitions")?.scalar?.text == "8")
        let prod = try project.load(.init(environment: "prod"))
        #expect(prod.tree.node(at: "kafka.topics.partitions")?.scalar?.text == "12")
        #expect(prod.tree.node(at: "domains") == nil)
        let set = try project.load(.init(environment: "prod", overrides: ["kafka.topics.partitions=3"]))
        let node = try #require(set.tree.node(at: "kafka.topics.partitions"))
        #expect(node.scalar?.coreType == .integer(3))
        #expect(
            ([node] + node.overridden).map(\.layer.name)
                == ["--set", "environment (domain block)", "domain", "platform"])
    }

    @Test("a null removes a key, but a field's default stays null")
    func nulls() throws {
        let prod = try project().load(.init(environment: "prod"))
        #expect(prod.tree.node(at: "sinks.primary.sqlite") == nil)
        #expect(prod.tree.node(at: "types.status.default")?.isNull == true)
    }

    @Test("the environment comes from the option, then the variable, then is local")
    func environmentChoice() throws {
        let project = try project()
        #expect(try project.load(environment: ["STREAMPLAT_ENVIRONMENT": "prod"]).environment == "prod")
        let both = try project.load(.init(environment: "local"), environment: ["STREAMPLAT_ENVIRONMENT": "prod"])
        #expect(both.environment == "local")
    }

    @Test("the project is found from a folder below it, and files are named as seen from there")
    func fromBelow() throws {
        let project = try project()
        let loaded = try project.load(from: "domains")
        #expect(loaded.domainFile == "shop.yaml")
        #expect(loaded.tree.node(at: "runtime.workers")?.location.file == "../config/platform.yaml")
        #expect(try project.load(.init(domain: "shop.yaml"), from: "domains").domainName == "shop")
        #expect(try project.load(.init(domain: "config/domains/bank.yaml")).domainName == "bank")
    }

    @Test(
        "unknown names are reported with the nearest and the known ones",
        arguments: [
            (
                ConfigurationLoader.Request(domain: "shp"),
                "no domain is named 'shp'\n   hint: did you mean 'shop'? known are bank, shop"
            ),
            (
                .init(environment: "prd"),
                "no environment is named 'prd'\n   hint: did you mean 'prod'? known are local, prod"
            ),
        ])
    func unknownNames(request: ConfigurationLoader.Request, expected: String) throws {
        let failure = try project().failure(request)
        #expect(failure.text.contains(expected))
        #expect(failure.exitCode == 2)
    }

    @Test("a file that is not there ends with exit code 3")
    func missingFiles() throws {
        let failure = try project().failure(.init(domain: "domains/none.yaml"))
        #expect(failure.text == "error[SP1032]: the file 'domains/none.yaml' is not there\n")
        #expect(failure.exitCode == 3)
        let empty = try TemporaryProject(["x": ""])
        #expect(empty.failure().text.contains("error[SP1031]"))
        #expect(empty.failure().exitCode == 3)
        #expect(try project().failure(.init(domain: "domains/")).text.contains("it is a folder"))
    }

    @Test("errors of all layers are reported together")
    func together() throws {
        let project = try project()
        try project.write("config/platform.yaml", "a: 1\na: 2\n")
        try project.write("domains/shop.yaml", "- x\n")
        let failure = project.failure(.init(domain: "shop", overrides: ["novalue", "a..b=1", "c=@x"]))
        for code in ["SP1006", "SP1038", "SP1037", "SP1001"] { #expect(failure.text.contains(code)) }
        #expect(failure.text.contains("--set:3:3: error[SP1001]"))
        let unknown = project.failure(.init(domain: "none"))
        #expect(unknown.text.contains("SP1006") && unknown.text.contains("SP1035"))
    }

    @Test("a typo in the environment's domains and a malformed variable are errors")
    func typo() throws {
        let project = try project()
        try project.write("environments/local.yaml", "domains: { shoop: {} }\nruntime: { workers: $<evn:X> }\n")
        let text = project.failure().text
        #expect(text.contains("environments/local.yaml:1:12: error[SP1035]: no domain is named 'shoop'"))
        #expect(text.contains("environments/local.yaml:2:21: error[SP1021]: '$<evn:X>' is not a variable"))
    }

    @Test("--set cannot lead into a list")
    func setIntoList() throws {
        let project = try project()
        try project.write("domains/shop.yaml", "aggregations: [{ name: a }]\n")
        #expect(project.failure(.init(overrides: ["aggregations.0.name=b"])).text.contains("error[SP1037]"))
        let set = try project.load(.init(overrides: ["kafka.config.\"retention.ms\"={a: [1]}"]))
        #expect(set.tree.node(at: "kafka.config.\"retention.ms\".a.0")?.scalar?.text == "1")
    }

    @Test("without a domain: an error that lists them, or none if none is needed")
    func noDomain() throws {
        let project = try project()
        try project.write("config/platform.yaml", "{}\n")
        #expect(project.failure().text.contains("name one of bank, shop"))
        #expect(try project.load(.init(needsDomain: false)).domainName == nil)
    }

    @Test("the committed platform and environment are a project")
    func committed() throws {
        let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
        var sources = SourceTexts()
        let loader = ConfigurationLoader(workingDirectory: root) { _ in nil }
        let loaded = try loader.load(.init(needsDomain: false), sources: &sources)
        #expect(loaded.tree.node(at: "broker.embedded.segment_bytes")?.scalar?.text == "64 MiB")
        #expect(loaded.tree.node(at: "default_domain")?.scalar?.text == "ecommerce")
    }
}
