internal import ClickHouseSink
internal import ConfigTree
package import Diagnostics
internal import Foundation
package import PluginAPI

/// What a test says about a sink in YAML.
package struct SinkConfiguration {
    package var urls: [String]
    package var database = "default"
    package var user: String?
    package var password: String?
    package var others: [String: String] = [:]

    package init(_ urls: String..., database: String = "default", others: [String: String] = [:]) {
        self.urls = urls
        self.database = database
        self.others = others
    }

    package func options(into diagnostics: inout Diagnostics) -> OptionValues {
        let place = SourceLocation(file: "platform.yaml", line: 1, column: 1)
        let layer = ConfigLayer("test")
        func scalar(_ text: String) -> ConfigNode {
            ConfigNode(.scalar(ConfigScalar(text, isPlain: !text.isEmpty)), at: place, layer: layer)
        }
        var entries: [ConfigMapping.Entry] = [
            .init(
                key: "urls", keyLocation: place,
                node: ConfigNode(.sequence(urls.map(scalar)), at: place, layer: layer)),
            .init(key: "database", keyLocation: place, node: scalar(database)),
        ]
        var texts = ["min_insert_interval": "0 ms", "timeout": "5 seconds"].merging(others) { $1 }
        texts["user"] = user
        texts["password"] = password
        for (key, text) in texts.sorted(by: { $0.key < $1.key }) {
            entries.append(.init(key: key, keyLocation: place, node: scalar(text)))
        }
        let node = ConfigNode(.mapping(ConfigMapping(entries)), at: place, layer: layer)
        let options = ClickHouseSinkPlugin.spec.parse(
            node, path: "sinks.primary.clickhouse", at: place, into: &diagnostics)
        ClickHouseSinkPlugin().validate(options, into: &diagnostics)
        return options
    }

    package func open(_ access: PluginContext.Access = .change, notices: Notices = Notices()) throws -> any Sink {
        var diagnostics = Diagnostics()
        let options = options(into: &diagnostics)
        try diagnostics.throwIfErrors()
        return try ClickHouseSinkPlugin().open(
            options, PluginContext(projectRoot: "/", access: access) { notices.add($0) })
    }
}

/// What a sink tells a person.
package final class Notices: @unchecked Sendable {
    private let lock = NSLock()
    private var texts: [String] = []

    package init() {}

    package func add(_ text: String) { lock.withLock { texts.append(text) } }
    package var all: [String] { lock.withLock { texts } }
}
