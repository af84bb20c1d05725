import ArgumentParser
import Logging
import PlatformModel
import Telemetry
import TerminalViews

/// The log of this process, on standard error, and what the command line itself says in it. Threads: any.
enum Log {
    enum Level: String, ExpressibleByArgument, CaseIterable {
        case trace, debug, info, notice, warning, error, critical

        fileprivate var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .info }
    }

    private static let output = LogOutput(hasLiveLine: { Terminal.showsLiveLine })
    private static let logger = Logger(label: "streamplat")

    /// Before anything logs; until the configuration is read, the level is `info` and the format text.
    static func start() { output.bootstrap() }

    /// - Parameter level: What the command line says; nil = what the configuration says.
    static func configure(_ monitoring: MonitoringSettings, level: Level?) {
        output.configure(
            level: (level ?? Level(rawValue: monitoring.logLevel) ?? .info).level,
            format: LogOutput.Format(rawValue: monitoring.logFormat) ?? .text)
    }

    static func write(_ level: Level, _ message: String, _ metadata: [String: String] = [:]) {
        logger.log(level: level.level, "\(message)", metadata: metadata.mapValues { "\($0)" })
    }
}
