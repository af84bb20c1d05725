internal import Logging
internal import PluginAPI

extension Sink {
    /// Lets go without sending what waits. There is a failure to tell already, so one of this is only logged.
    func letGo(_ name: String, _ logger: Logger) {
        do {
            try abandon()
        } catch {
            logger.warning("a sink did not let go: \(error)", metadata: ["sink": "\(name)"])
        }
    }
}
