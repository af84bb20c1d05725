import Diagnostics
import PlatformModel

/// How many events, over which span of event time: the options and the domain's settings settled.
struct GenerationSchedule {
    var start: Int64
    /// Nil = without end.
    var end: Int64?
    /// Nil = without end.
    var count: Int?
    var curve: IntensityCurve
    /// Intensity mass between two events.
    var massPerEvent: Double

    /// Nil after reporting what is wrong.
    init?(domain: DomainDefinition, options: GenerationOptions, into diagnostics: inout Diagnostics) {
        let settings = domain.synthetic
        Self.check(settings, options, at: domain.location, into: &diagnostics)
        if diagnostics.hasErrors { return nil }

        let givenSpan = options.spanMilliseconds ?? settings.spanMilliseconds
        let span = givenSpan ?? options.durationMilliseconds ?? GenerationOptions.defaultSpanMilliseconds
        let givenStart = options.startMilliseconds ?? settings.startMilliseconds
        if let events = options.events {
            count = events
        } else if let duration = options.durationMilliseconds {
            let rate = options.rate ?? settings.eventsPerSecond ?? GenerationOptions.defaultRate
            count = Self.product(rate, duration)
        } else if let rate = options.rate {
            count = givenStart == nil && givenSpan == nil ? nil : Self.product(rate, span)
        } else {
            count = settings.eventsPerSecond.map { Self.product($0, span) } ?? GenerationOptions.defaultEvents
        }
        let isLive = count == nil || options.events == nil && options.durationMilliseconds != nil && givenSpan == nil
        let start = givenStart ?? (isLive ? options.nowMilliseconds : options.nowMilliseconds - span)
        self.start = start
        end = count == nil ? nil : start + span
        // Without end the caller's pacing makes the shape: event time keeps step with the clock.
        curve = IntensityCurve(
            start: start, end: end, peakHours: count == nil ? [] : settings.peakHours,
            weekendMultiplier: count == nil ? 1 : settings.weekendMultiplier)
        if let count, let total = curve.totalMass {
            guard total > 0 || count == 0 else {
                diagnostics.error(
                    .invalidSyntheticSetting, "no event can fall into the span: weekend_multiplier is 0",
                    at: domain.location,
                    path: "synthetic.patterns.weekend_multiplier")
                return nil
            }
            massPerEvent = total / Double(max(count, 1))
        } else {
            massPerEvent = 1000 / (options.rate ?? GenerationOptions.defaultRate)
        }
    }

    private static func product(_ rate: Double, _ milliseconds: Int64) -> Int {
        Int(min((rate * Double(milliseconds) / 1000).rounded(), 1e15))
    }

    private static func check(
        _ settings: SyntheticSettings, _ options: GenerationOptions, at location: SourceLocation,
        into diagnostics: inout Diagnostics
    ) {
        func require(_ isFine: Bool, _ message: String, option: Bool = false) {
            guard !isFine else { return }
            diagnostics.error(.invalidSyntheticSetting, message, at: option ? nil : location)
        }
        // Times stay in the years that Avro's and SQL's timestamps print with four digits.
        let years = Int64(-62_135_596_800_000)...253_402_300_799_999
        let start = options.startMilliseconds ?? settings.startMilliseconds ?? options.nowMilliseconds
        let span = options.spanMilliseconds ?? settings.spanMilliseconds ?? options.durationMilliseconds ?? 1
        require(span > 0, "the span of event time must be positive", option: options.spanMilliseconds != nil)
        require(
            years.contains(start) && (span <= 0 || span < years.upperBound && years.contains(start + span)),
            "event times must stay between the years 1 and 9999", option: options.startMilliseconds != nil)
        require((options.events ?? 0) >= 0, "the number of events must not be negative", option: true)
        require((options.durationMilliseconds ?? 1) > 0, "the duration must be positive", option: true)
        for (rate, isOption) in [(options.rate, true), (settings.eventsPerSecond, false)] {
            require((rate ?? 1) > 0 && (rate ?? 1).isFinite, "the rate of events must be positive", option: isOption)
        }
        require(
            (1...10_000_000).contains(settings.entityPoolSize), "entity_pool_size must be between 1 and 10,000,000")
        require(
            settings.sessionMinutes >= 0 && settings.sessionMinutes.isFinite,
            "session_duration_avg_minutes must not be negative")
        require(settings.peakHours.allSatisfy((0...23).contains), "peak_hours are hours of the day, 0 to 23")
        require(
            settings.weekendMultiplier >= 0 && settings.weekendMultiplier.isFinite,
            "weekend_multiplier must not be negative")
        require(
            (0...1).contains(settings.outOfOrderShare), "the share of events out of order is between 0 and 1")
        require(settings.outOfOrderMilliseconds >= 0, "the bound of events out of order must not be negative")
    }
}
