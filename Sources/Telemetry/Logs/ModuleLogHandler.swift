internal import Glibc
internal import Logging

/// Writes what one module logs; the logger's label is the module's name.
struct ModuleLogHandler: LogHandler {
    private let module: String
    private let output: LogOutput
    /// Set when somebody gave this logger a level of its own; else the output's holds, also when it changes later.
    private var ownLevel: Logger.Level?
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    init(module: String, output: LogOutput) {
        self.module = module
        self.output = output
    }

    var logLevel: Logger.Level {
        get { ownLevel ?? output.level }
        set { ownLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let given = event.metadata { all.merge(given) { $1 } }
        if let error = event.error { all["error"] = "\(error)" }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        output.write(
            LogLine(
                milliseconds: Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000, level: event.level,
                module: module, message: "\(event.message)", metadata: all))
    }
}
