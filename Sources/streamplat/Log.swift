import DataPath
import Diagnostics
import Foundation
import PlatformModel
import Synchronization

/// What a command says beside its results, on standard error: `2026-11-21 13:45:30 | WARNING | message`, or one JSON object a
/// line, as `monitoring.log` asks. Threads: any.
enum Log {
    enum Level: String, CaseIterable {
        case trace, debug, info, notice, warning, error, critical

        var rank: Int { Level.allCases.firstIndex(of: self) ?? 0 }
    }

    private struct Settings {
        var threshold = Level.info
        var isJSON = false
    }

    private static let settings = Mutex(Settings())

    static func configure(_ monitoring: MonitoringSettings) {
        settings.withLock {
            $0.threshold = Level(rawValue: monitoring.logLevel) ?? .info
            $0.isJSON = monitoring.logFormat == "json"
        }
    }

    static func write(_ level: Level, _ message: String) {
        let settings = settings.withLock { $0 }
        guard level.rank >= settings.threshold.rank else { return }
        let now = TextFormat.timestamp(
            Int64(Date().timeIntervalSince1970 * 1000), style: settings.isJSON ? .iso8601 : .sqlite)
        if settings.isJSON {
            Failure.print(
                JSONValue.object([
                    "time": .string(now), "level": .string(level.rawValue), "message": .string(message),
                ]).text(compact: true))
        } else {
            Failure.print("\(now.prefix(19)) | \(level.rawValue.uppercased()) | \(message)")
        }
    }
}
