internal import Diagnostics
internal import Logging
internal import Metrics
internal import PluginAPI

/// Does again what failed for a reason that may pass, with growing pauses, aloud, for as long as the run lives. Threads: any.
struct Retrying: Sendable {
    private let component: String
    private let control: RunControl
    private let retries: Counter
    private let logger: Logger

    var host: RunHost { control.host }

    init(component: String, control: RunControl) {
        self.component = component
        self.control = control
        retries = Counter(label: "streamplat_retries_total", dimensions: [("component", component)])
        logger = control.host.logger
    }

    /// Returns when everything that the producer was given is durable; throws when the run is abandoned meanwhile. A broker
    /// may be away for as long as the producer goes on trying.
    func flush(_ producer: any BrokerProducer) throws {
        while try !producer.flush(milliseconds: 100) {
            if control.shouldAbandon { throw RoundOver("it ended while the broker was away") }
        }
    }

    /// - Parameter isStopping: When it says so, the failure is thrown instead.
    func callAsFunction<Result>(
        until isStopping: () -> Bool = { false }, _ body: () throws -> Result
    ) throws -> Result {
        var backoff = Backoff()
        while true {
            do {
                return try body()
            } catch let error as PipelineError where error.retry == .backoff && !control.shouldAbandon && !isStopping()
            {
                let pauseMilliseconds = backoff.next(host.random())
                retries.increment()
                logger.warning(
                    "\(error.message); trying again",
                    metadata: [
                        "code": "\(error.code.id)", "component": "\(component)", "pause_ms": "\(pauseMilliseconds)",
                    ])
                control.pause(milliseconds: pauseMilliseconds)
            }
        }
    }
}
