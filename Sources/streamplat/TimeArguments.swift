import ArgumentParser
import ConfigTree
import DataPath

/// A duration on the command line, such as `2h`.
struct DurationArgument: ExpressibleByArgument {
    var milliseconds: Int64

    init?(argument: String) {
        guard let value = DurationText.milliseconds(argument) else { return nil }
        milliseconds = value
    }
}

/// An instant on the command line: ISO 8601 (UTC when it names no zone) or milliseconds since the epoch.
struct InstantArgument: ExpressibleByArgument {
    var milliseconds: Int64

    init?(argument: String) {
        if let value = Int64(argument) {
            milliseconds = value
            return
        }
        let parsed = Array(argument.utf8).withUnsafeBytes { bytes -> Int64? in
            if let local = TextFormat.localTimestamp(bytes) {
                return local.milliseconds - Int64(local.offsetSeconds ?? 0) * 1000
            }
            return TextFormat.date(bytes).map { $0 * 86_400_000 }
        }
        guard let parsed else { return nil }
        milliseconds = parsed
    }
}
