import ConfigTree
import Diagnostics
import Logging
import PlatformModel
import ProjectConfig
import StreamplatKit

/// Says at debug level where each setting of the platform comes from. Secrets are masked as in `config show`.
enum ConfigurationLog {
    static func write(_ project: Project) {
        let logger = Logger(label: "config")
        guard logger.logLevel <= .debug else { return }
        let configuration = project.configuration
        logger.debug(
            "configuration loaded",
            metadata: [
                "environment": "\(configuration.environment)", "domain": "\(configuration.domainName ?? "none")",
            ])
        for key in PlatformSettings.keys {
            guard let node = configuration.tree.node(at: [key]) else { continue }
            write(node, [key], logger)
        }
    }

    private static func write(_ node: ConfigNode, _ path: [String], _ logger: Logger) {
        if let mapping = node.mapping {
            for entry in mapping.entries { write(entry.node, path + [entry.key], logger) }
            return
        }
        let place = ConfigPath(segments: path)
        logger.debug(
            "setting",
            metadata: [
                "key": "\(place)", "value": "\(ConfigCommand.printer.summary(node, at: place))",
                "from": "\(node.location.file):\(node.location.line):\(node.location.column)",
                "layer": "\(node.layer.name)",
            ])
    }
}
