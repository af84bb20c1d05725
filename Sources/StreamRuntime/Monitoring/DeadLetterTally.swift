internal import Logging
internal import Metrics
internal import PluginAPI
internal import Synchronization

/// Counts the dead letters of a run and says them without a flood: the first of each code at once and with its place, the
/// others as a count, in at most one line each ten seconds. Threads: any.
final class DeadLetterTally: Sendable {
    private struct State {
        var counters: [String: Counter] = [:]
        /// Letters of the run by code.
        var totals: [String: Int] = [:]
        /// The first reason of each code.
        var reasons: [String: String] = [:]
        /// Letters by code that no line has told yet.
        var untold: [String: Int] = [:]
        var lastTold = Int64.min / 2
    }

    private static let intervalMilliseconds: Int64 = 10_000

    private let state = Mutex(State())
    private let topic: String
    private let logger: Logger

    /// - Parameter topic: The dead-letter topic, for the reader of the log.
    init(topic: String, logger: Logger = Logger(label: "runtime")) {
        self.topic = topic
        self.logger = logger
    }

    /// - Parameters:
    ///   - place: Where the record came from, such as `events.purchase, partition 0, offset 5`.
    ///   - reason: Without values of the record.
    func count(stage: DeadLetter.Stage, code: String, place: @autoclosure () -> String, reason: String) {
        let isFirst = state.withLock { state in
            state.totals[code, default: 0] += 1
            if state.reasons[code] == nil { state.reasons[code] = reason }
            if let known = state.counters["\(stage.rawValue) \(code)"] {
                known.increment()
                state.untold[code, default: 0] += 1
                return false
            }
            let counter = Counter(
                label: "streamplat_dead_letters_total", dimensions: [("stage", stage.rawValue), ("code", code)])
            counter.increment()
            state.counters["\(stage.rawValue) \(code)"] = counter
            return true
        }
        guard isFirst else { return }
        logger.warning(
            "dead letter [\(code)] \(place()): \(reason) (further ones are counted)",
            metadata: ["code": "\(code)", "topic": "\(topic)"])
    }

    /// Letters of the run by code.
    var totals: [String: Int] { state.withLock { $0.totals } }

    /// The first reason of a code.
    func reason(_ code: String) -> String? { state.withLock { $0.reasons[code] } }

    /// Tells how many came since the last line, if there are any and it is time to.
    ///
    /// - Parameters:
    ///   - now: Monotonic milliseconds.
    ///   - isLast: At the end of the run it is always time.
    func tell(at now: Int64, isLast: Bool = false) {
        let untold: [String: Int] = state.withLock { state in
            guard !state.untold.isEmpty, isLast || now - state.lastTold >= Self.intervalMilliseconds else { return [:] }
            state.lastTold = now
            defer { state.untold = [:] }
            return state.untold
        }
        guard !untold.isEmpty else { return }
        let codes = untold.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        logger.warning(
            "more dead letters",
            metadata: [
                "count": "\(untold.values.reduce(0, +))", "codes": "\(codes.joined(separator: " "))",
                "topic": "\(topic)",
            ])
    }
}
