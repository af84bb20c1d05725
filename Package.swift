// swift-tools-version: 6.1
import Foundation
import PackageDescription

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let nio = ["NIOCore", "NIOHTTP1", "NIOPosix"].map { Target.Dependency.product(name: $0, package: "swift-nio") }

/// A system library found by pkg-config.
func system(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, path: "Sources/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

/// A built-in plugin: it lives in `plugins/<folder>` and enters by the same door as a third party's.
func plugin(_ name: String, folder: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name, dependencies: ["Diagnostics", "ConfigTree", "DataPath", "PluginAPI"] + dependencies,
        path: "plugins/\(folder)/Sources")
}

let package = Package(
    name: "streamplat",
    products: [.library(name: "PluginAPI", targets: ["PluginAPI"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        // System libraries.
        system("CLibYAML", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),
        system("CLibAvro", pkgConfig: "avro-c", apt: "libavro-dev"),
        system("CSQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
        system("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
        system("CRdKafka", pkgConfig: "rdkafka", apt: "librdkafka-dev"),
        system("CPostgres", pkgConfig: "libpq", apt: "libpq-dev"),
        system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
        .target(name: "CSIMDJSON", path: "Sources/CSIMDJSON", linkerSettings: [.linkedLibrary("simdjson")]),

        // The bottom: nothing of ours below.
        .target(name: "Diagnostics"),
        // Instructions, functions of the C++ library and of Linux that Swift does not reach.
        .target(name: "CNative"),
        .target(name: "DataPath", dependencies: ["CNative"]),

        // Configuration.
        .target(name: "ConfigTree", dependencies: ["Diagnostics"]),
        .target(name: "YAMLTree", dependencies: ["CLibYAML", "ConfigTree", "Diagnostics"]),

        .target(name: "ProjectConfig", dependencies: ["YAMLTree", "ConfigTree", "PluginAPI", "Diagnostics"]),

        // The model of a domain.
        .target(name: "PluginAPI", dependencies: ["DataPath", "ConfigTree", "Diagnostics"]),
        .target(name: "Expressions", dependencies: ["DataPath", "Diagnostics"]),
        .target(name: "AvroSchema", dependencies: ["Compression", "DataPath", "Diagnostics"]),
        .target(
            name: "PlatformModel",
            dependencies: ["PluginAPI", "Expressions", "AvroSchema", "ConfigTree", "DataPath", "Diagnostics"]),

        // Clients: one owner per C library.
        .target(name: "Compression", dependencies: ["CZlib", "Diagnostics"]),
        .target(name: "KafkaClient", dependencies: ["CRdKafka", "DataPath", "Diagnostics"]),
        .target(name: "LibAvro", dependencies: ["CLibAvro", "Diagnostics"]),
        .target(name: "PostgresClient", dependencies: ["CPostgres"]),
        .target(name: "SQLiteClient", dependencies: ["CSQLite", "Diagnostics"]),
        .target(name: "HTTPClient", dependencies: ["CCurl", "PluginAPI"]),
        .target(name: "HTTPServer", dependencies: nio + ["Diagnostics"]),

        // What moves events.
        .target(name: "DurableFiles", dependencies: ["Diagnostics"]),
        .target(name: "EventLog", dependencies: ["DurableFiles", "DataPath", "Diagnostics"]),
        .target(name: "SchemaStore", dependencies: ["DurableFiles", "AvroSchema", "PluginAPI", "Diagnostics"]),
        // Cells of text formats to typed columns: for files and for JSON messages.
        .target(
            name: "RecordConversion",
            dependencies: ["CSIMDJSON", "AvroSchema", "PlatformModel", "PluginAPI", "DataPath", "Diagnostics"]),
        .target(
            name: "Ingest",
            dependencies: [
                "CSIMDJSON", "Compression", "AvroSchema", "PlatformModel", "PluginAPI", "RecordConversion", "DataPath",
                "Diagnostics",
            ]),
        // Files in the place of topics.
        .target(
            name: "InputFiles", dependencies: ["Compression", "AvroSchema", "PluginAPI", "DataPath", "Diagnostics"]),
        .target(
            name: "Generation",
            dependencies: ["AvroSchema", "PlatformModel", "PluginAPI", "DataPath", "Diagnostics"]),
        .target(
            name: "StreamRuntime",
            dependencies: [
                logging, metrics, "AvroSchema", "Expressions", "PlatformModel", "PluginAPI", "RecordConversion",
                "DataPath", "Diagnostics",
            ]),
        .target(
            name: "Provisioning",
            dependencies: ["AvroSchema", "LibAvro", "PlatformModel", "PluginAPI", "DataPath", "Diagnostics"]),

        // Behind the façades of logs and metrics: only the command line imports it.
        .target(
            name: "Telemetry",
            dependencies: [logging, .product(name: "CoreMetrics", package: "swift-metrics"), "Diagnostics"]),
        .testTarget(name: "TelemetryTests", dependencies: [logging, metrics, "Telemetry", "Diagnostics"]),
        .target(name: "RegistryServer", dependencies: ["HTTPServer", "SchemaStore", "PluginAPI", "Diagnostics"]),

        // What a person sees in a terminal.
        .target(name: "TerminalViews", dependencies: ["PluginAPI", "Diagnostics"]),
        .testTarget(name: "TerminalViewsTests", dependencies: ["TerminalViews", "PluginAPI", "Diagnostics"]),

        // The composition root and the command line.
        .target(
            name: "StreamplatKit",
            dependencies: [
                logging, metrics, "AvroSchema", "CNative", "ClickHouseSink", "ConfigTree", "ConfluentRegistry",
                "ConsoleSink",
                "DataPath", "Diagnostics", "EmbeddedBroker", "KafkaBroker",
                "DeriveOperator", "EnvironmentSecrets", "FileSecrets", "FileSink", "FilterOperator", "Generation",
                "Ingest", "InputFiles", "PlatformModel",
                "PluginAPI",
                "PostgreSQLSink", "ProjectConfig", "ProjectOperator", "Provisioning", "RecordConversion", "SQLiteSink",
                "StreamRuntime",
                "VaultSecrets",
            ]),
        .executableTarget(
            name: "streamplat",
            dependencies: [
                argumentParser, logging, metrics, "ConfigTree", "Diagnostics", "Generation", "HTTPServer", "Ingest",
                "InputFiles", "PlatformModel", "PluginAPI", "ProjectConfig", "Provisioning", "RegistryServer",
                "SchemaStore",
                "StreamRuntime", "StreamplatKit", "Telemetry", "TerminalViews",
            ]),

        // Measures the Avro codec beside libavro; `bench --check` runs it.
        .executableTarget(
            name: "avro-bench", dependencies: ["CLibAvro", "AvroSchema", "DataPath"], path: "Tests/AvroBench"),

        // Built-in plugins.
        plugin("EnvironmentSecrets", folder: "env"),
        plugin("VaultSecrets", folder: "vault", ["HTTPClient"]),
        plugin("FileSecrets", folder: "secret-file", ["YAMLTree"]),
        plugin("EmbeddedBroker", folder: "embedded", ["EventLog", "SchemaStore"]),
        plugin("ConfluentRegistry", folder: "confluent-registry", ["HTTPClient"]),
        plugin("KafkaBroker", folder: "kafka", [metrics, "KafkaClient", "YAMLTree"]),
        plugin("SQLiteSink", folder: "sqlite", ["SQLiteClient"]),
        plugin("PostgreSQLSink", folder: "postgresql", ["PostgresClient"]),
        plugin("ClickHouseSink", folder: "clickhouse", ["Compression", "HTTPClient"]),
        plugin("ConsoleSink", folder: "console"),
        plugin("FileSink", folder: "file", ["YAMLTree"]),
        plugin("FilterOperator", folder: "filter"),
        plugin("DeriveOperator", folder: "derive"),
        plugin("ProjectOperator", folder: "project"),

        // Real servers on loopback, for the tests of plugins.
        .target(name: "TestServers", path: "Tests/TestServers", exclude: ["Scripts"]),
        .testTarget(
            name: "PostgreSQLSinkTests",
            dependencies: [
                "PostgreSQLSink", "PostgresClient", "TestServers", "PluginAPI", "ConfigTree", "DataPath",
                "Diagnostics",
            ]),
        .testTarget(
            name: "VaultSecretsTests",
            dependencies: ["VaultSecrets", "PluginAPI", "ConfigTree", "YAMLTree", "Diagnostics"], exclude: ["Fixtures"]),
        .testTarget(name: "HTTPClientTests", dependencies: ["HTTPClient", "PluginAPI"], exclude: ["Fixtures"]),
        .testTarget(name: "SchemaStoreTests", dependencies: ["SchemaStore", "PluginAPI", "Diagnostics"]),
        .testTarget(name: "HTTPServerTests", dependencies: ["HTTPServer", "Diagnostics"]),
        .testTarget(
            name: "RegistryServerTests", dependencies: ["RegistryServer", "HTTPServer", "SchemaStore", "PluginAPI"]),
        .testTarget(
            name: "ConfluentRegistryTests",
            dependencies: [
                "ConfluentRegistry", "RegistryServer", "HTTPServer", "SchemaStore", "PluginAPI", "ConfigTree",
                "Diagnostics",
            ]),
        .testTarget(name: "KafkaClientTests", dependencies: ["KafkaClient", "CRdKafka", "DataPath", "Diagnostics"]),
        .testTarget(
            name: "KafkaBrokerTests",
            dependencies: [
                metrics, "KafkaBroker", "Telemetry", "TestServers", "YAMLTree", "PluginAPI", "ConfigTree", "DataPath",
                "Diagnostics",
            ], exclude: ["Scripts"]),
        .testTarget(
            name: "KafkaSinkTests",
            dependencies: [
                "KafkaBroker", "TestServers", "YAMLTree", "PluginAPI", "ConfigTree", "DataPath",
                "Diagnostics",
            ]),
        .target(
            name: "ClickHouseTesting",
            dependencies: ["ClickHouseSink", "TestServers", "PluginAPI", "ConfigTree", "DataPath", "Diagnostics"],
            path: "Tests/ClickHouseTesting", exclude: ["Scripts"]),
        .testTarget(
            name: "ClickHouseSinkTests",
            dependencies: [
                "ClickHouseSink", "ClickHouseTesting", "TestServers", "PluginAPI", "ConfigTree", "DataPath",
                "Diagnostics", "HTTPClient",
            ]),
        // The engine of today behind a front of ours; only with STREAMPLAT_CHDB_PYTHON (`make test-clickhouse`).
        .testTarget(
            name: "ModernClickHouseTests",
            dependencies: [
                "streamplat", "ClickHouseSink", "ClickHouseTesting", "HTTPClient", "TestServers", "PluginAPI",
                "DataPath", "Diagnostics",
            ],
            exclude: ["Scripts"]),
        .testTarget(
            name: "FileSinkTests",
            dependencies: ["FileSink", "PluginAPI", "ConfigTree", "DataPath", "Diagnostics"]),
        .testTarget(
            name: "SQLiteSinkTests",
            dependencies: ["SQLiteSink", "SQLiteClient", "PluginAPI", "ConfigTree", "DataPath", "Diagnostics"]),
        .testTarget(
            name: "EmbeddedBrokerTests",
            dependencies: ["EmbeddedBroker", "PluginAPI", "ConfigTree", "DataPath", "Diagnostics"]),

    ]
        + [
            "Diagnostics", "DataPath", "ConfigTree", "YAMLTree", "Expressions", "AvroSchema", "PlatformModel",
            "EventLog", "Ingest", "InputFiles", "Generation", "LibAvro", "Compression", "RecordConversion",
        ].map { name in
            // Tests may use everything that stands below the pipeline.
            let below = [
                "Compression", "Diagnostics", "ConfigTree", "YAMLTree", "DataPath", "AvroSchema", "LibAvro",
                "PluginAPI",
                "Expressions", "PlatformModel",
            ]
            let besides: [String: [String]] = [
                "Ingest": ["RecordConversion"],
                "PlatformModel": ["FilterOperator", "DeriveOperator", "ProjectOperator"],
            ]
            return .testTarget(
                name: "\(name)Tests",
                dependencies: Set(below + [name] + (besides[name] ?? [])).sorted().map {
                    .byName(name: $0)
                },
                exclude: FileManager.default.fileExists(atPath: "Tests/\(name)Tests/Fixtures") ? ["Fixtures"] : [])
        } + [
            .testTarget(
                name: "StreamRuntimeTests",
                dependencies: [
                    logging, metrics, .product(name: "InMemoryLogging", package: "swift-log"), "Telemetry",
                    "StreamRuntime", "PlatformModel", "PluginAPI", "ConfigTree", "DataPath", "AvroSchema",
                    "Diagnostics",
                ]),
            // The runtime on a simulated clock, disk, broker and sinks, one thread, by seeds (decision 0006).
            .testTarget(
                name: "SimulationTests",
                dependencies: [
                    logging, "StreamRuntime", "PlatformModel", "PluginAPI", "YAMLTree", "ConfigTree", "DataPath",
                    "Diagnostics", "DeriveOperator", "FilterOperator", "ProjectOperator",
                ]),
            .testTarget(
                name: "StreamplatKitTests",
                dependencies: [
                    "StreamplatKit", "StreamRuntime", "Provisioning", "Generation", "Ingest", "PlatformModel",
                    "PluginAPI",
                    "ProjectConfig", "ConfigTree", "DataPath", "Diagnostics", "SQLiteClient",
                ]),
            .testTarget(
                name: "ProjectConfigTests",
                dependencies: [
                    "ProjectConfig", "YAMLTree", "ConfigTree", "PluginAPI", "Diagnostics", "EnvironmentSecrets",
                    "FileSecrets",
                ]),
            // What fuzzers feed (`make fuzz`), and the replay of the inputs that were kept.
            .target(
                name: "FuzzTargets",
                dependencies: [
                    "AvroSchema", "Compression", "ConfigTree", "DataPath", "Diagnostics", "EventLog", "Expressions",
                    "Ingest", "PlatformModel", "PluginAPI", "ProjectConfig", "RecordConversion", "StreamRuntime",
                    "YAMLTree",
                ], path: "Tests/Fuzzing/Targets"),
            .testTarget(name: "FuzzCorpusTests", dependencies: ["FuzzTargets"]),
            // The built program against real data and DuckDB; needs STREAMPLAT_BIN or the program beside the tests.
            .testTarget(name: "EndToEndTests", dependencies: ["streamplat", "TestServers"], exclude: ["Scripts"]),
        ]
)

// libFuzzer brings the `main` of this program, so nothing but `make fuzz` can link it.
if Context.environment["STREAMPLAT_FUZZ"] == "1" {
    package.targets.append(
        .executableTarget(name: "streamplat-fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzzing/Runner"))
}

for target in package.targets where target.type != .system && !["CSIMDJSON", "CNative"].contains(target.name) {
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .swiftLanguageMode(.v6),
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("InternalImportsByDefault"),
        ]
}
package.cxxLanguageStandard = .cxx17

// `STREAMPLAT_ONLY=KafkaBrokerTests,DataPathTests swift test` builds these targets and what they need, nothing else.
if let only = Context.environment["STREAMPLAT_ONLY"] {
    var wanted = Set(only.split(separator: ",").map(String.init))
    var isGrowing = true
    while isGrowing {
        let names = package.targets.filter { wanted.contains($0.name) }.flatMap(\.dependencies).compactMap {
            if case .byNameItem(let name, _) = $0 { name } else { nil }
        }
        isGrowing = !wanted.isSuperset(of: names)
        wanted.formUnion(names)
    }
    package.targets.removeAll { !wanted.contains($0.name) }
    package.products.removeAll { !wanted.contains($0.name) }
}
