// swift-tools-version: 6.1
import Foundation
import PackageDescription

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

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
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // System libraries. librdkafka and libpq join them with the Kafka broker and the PostgreSQL sink.
        system("CLibYAML", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),
        system("CLibAvro", pkgConfig: "avro-c", apt: "libavro-dev"),
        system("CSQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
        system("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
        system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
        .target(name: "CSIMDJSON", path: "Sources/CSIMDJSON", linkerSettings: [.linkedLibrary("simdjson")]),

        // The bottom: nothing of ours below.
        .target(name: "Diagnostics"),
        .target(name: "DataPath"),

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
        .target(name: "LibAvro", dependencies: ["CLibAvro", "Diagnostics"]),
        .target(name: "SQLiteClient", dependencies: ["CSQLite", "Diagnostics"]),
        .target(name: "HTTPClient", dependencies: ["CCurl", "PluginAPI"]),

        // What moves events.
        .target(name: "EventLog", dependencies: ["DataPath", "Diagnostics"]),
        .target(
            name: "Ingest",
            dependencies: [
                "CSIMDJSON", "Compression", "AvroSchema", "PlatformModel", "PluginAPI", "DataPath", "Diagnostics",
            ]),
        .target(
            name: "Generation",
            dependencies: ["AvroSchema", "PlatformModel", "PluginAPI", "DataPath", "Diagnostics"]),
        .target(
            name: "StreamRuntime",
            dependencies: ["AvroSchema", "Expressions", "PlatformModel", "PluginAPI", "DataPath", "Diagnostics"]),
        .target(
            name: "Provisioning",
            dependencies: ["AvroSchema", "LibAvro", "PlatformModel", "PluginAPI", "DataPath", "Diagnostics"]),

        // What a person sees in a terminal.
        .target(name: "TerminalViews", dependencies: ["PluginAPI", "Diagnostics"]),
        .testTarget(name: "TerminalViewsTests", dependencies: ["TerminalViews", "PluginAPI"]),

        // The composition root and the command line.
        .target(
            name: "StreamplatKit",
            dependencies: [
                "AvroSchema", "ConfigTree", "ConsoleSink", "DataPath", "Diagnostics", "EmbeddedBroker",
                "EnvironmentSecrets", "FileSecrets", "FileSink", "Generation", "Ingest", "PlatformModel", "PluginAPI",
                "ProjectConfig", "Provisioning", "SQLiteSink", "StreamRuntime",
            ]),
        .executableTarget(
            name: "streamplat",
            dependencies: [
                argumentParser, "ConfigTree", "Diagnostics", "Generation", "Ingest", "PlatformModel", "PluginAPI",
                "ProjectConfig", "Provisioning", "StreamRuntime", "StreamplatKit", "TerminalViews",
            ]),

        // Built-in plugins.
        plugin("EnvironmentSecrets", folder: "env"),
        plugin("FileSecrets", folder: "secret-file", ["YAMLTree"]),
        plugin("EmbeddedBroker", folder: "embedded", ["EventLog"]),
        plugin("SQLiteSink", folder: "sqlite", ["SQLiteClient"]),
        plugin("ConsoleSink", folder: "console"),
        plugin("FileSink", folder: "file"),

        .testTarget(name: "HTTPClientTests", dependencies: ["HTTPClient", "PluginAPI"], exclude: ["Fixtures"]),
        .testTarget(
            name: "EmbeddedBrokerTests",
            dependencies: ["EmbeddedBroker", "PluginAPI", "ConfigTree", "DataPath", "Diagnostics"]),

    ]
        + [
            "Diagnostics", "DataPath", "ConfigTree", "YAMLTree", "Expressions", "AvroSchema", "PlatformModel",
            "EventLog", "Ingest", "Generation", "LibAvro", "Compression",
        ].map { name in
            // Tests may use everything that stands below the pipeline.
            let below = [
                "Compression", "Diagnostics", "ConfigTree", "YAMLTree", "DataPath", "AvroSchema", "LibAvro",
                "PluginAPI",
                "Expressions", "PlatformModel",
            ]
            return .testTarget(
                name: "\(name)Tests",
                dependencies: Set(below + [name]).sorted().map { .byName(name: $0) },
                exclude: FileManager.default.fileExists(atPath: "Tests/\(name)Tests/Fixtures") ? ["Fixtures"] : [])
        } + [
            .testTarget(
                name: "StreamRuntimeTests",
                dependencies: [
                    "StreamRuntime", "PlatformModel", "PluginAPI", "ConfigTree", "DataPath", "AvroSchema",
                    "Diagnostics",
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
            // The built program against real data and DuckDB; needs STREAMPLAT_BIN or the program beside the tests.
            .testTarget(name: "EndToEndTests", dependencies: ["streamplat"], exclude: ["Scripts"]),
        ]
)

for target in package.targets where target.type != .system && target.name != "CSIMDJSON" {
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
