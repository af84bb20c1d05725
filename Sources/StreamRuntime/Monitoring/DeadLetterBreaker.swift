internal import PlatformModel

/// Tells when too large a share of what a run takes in becomes dead letters, over a sliding window of processing time.
struct DeadLetterBreaker {
    /// Counters as they stand at one moment, since the run began.
    struct Sample: Equatable {
        /// Monotonic milliseconds.
        var time: Int64
        /// Records that were read, or rows that were offered to sinks.
        var total: Int
        /// Those of them that became dead letters; one that became several counts once.
        var bad: Int
        /// Letters by their code.
        var byCode: [String: Int]
    }

    /// Why it trips.
    struct Verdict: Equatable {
        var total: Int
        var bad: Int
        /// The most frequent code of the window, and its letters.
        var code: String
        var codeCount: Int
    }

    private let settings: DeadLetterSettings
    private var samples: [Sample]

    /// Samples of a window that are kept: the window's edge is exact to a sixtieth of it.
    private static let samplesPerWindow: Int64 = 60

    /// - Parameter begin: The counters before anything that is to be judged.
    init(_ settings: DeadLetterSettings, from begin: Sample) {
        self.settings = settings
        samples = [begin]
    }

    /// Looks at the counters of now. Not nil when the share in the window is above the limit and the window holds enough
    /// to speak of a share.
    mutating func verdict(_ sample: @autoclosure () -> Sample) -> Verdict? {
        guard let limit = settings.maxShare else { return nil }
        let now = sample()
        // The newest sample that is not younger than the window is where the window begins.
        while samples.count > 1, samples[1].time <= now.time - settings.windowMilliseconds { samples.removeFirst() }
        if let last = samples.last, now.time - last.time >= settings.windowMilliseconds / Self.samplesPerWindow {
            samples.append(now)
        }
        let begin = samples[0]
        let (total, bad) = (now.total - begin.total, now.bad - begin.bad)
        guard total >= settings.minRecords, Double(bad) > limit * Double(total) else { return nil }
        let counts = now.byCode.map { (code: $0.key, count: $0.value - (begin.byCode[$0.key] ?? 0)) }
        let commonest = counts.max { ($0.count, $1.code) < ($1.count, $0.code) }
        return Verdict(total: total, bad: bad, code: commonest?.code ?? "", codeCount: commonest?.count ?? 0)
    }
}
