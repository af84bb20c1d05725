public import PlatformModel

/// What a person asks of one generation, over what the domain says.
///
/// How many events are made, and when they happen:
/// - `events`: exactly so many, over `[start, start + span)`.
/// - else `durationMilliseconds`: rate × duration, over a span of that length.
/// - else a rate and a start or span: rate × span.
/// - else a rate in the options: without end, from now on.
/// - else the domain's `events_per_second` × span, or ``defaultEvents`` when it has none.
///
/// The start is the option, else the domain's, else (for `durationMilliseconds` and without end) now, else now less the
/// span. The span is the option, else the domain's, else the duration, else one hour.
public struct GenerationOptions: Sendable {
    /// Used when nothing says how many events to make.
    public static let defaultEvents = 1000
    public static let defaultSpanMilliseconds: Int64 = 3_600_000
    /// Used when a duration is given and no rate: events per second.
    public static let defaultRate = 100.0

    public var events: Int?
    /// Only these; nil = all.
    public var eventTypes: [String]?
    /// Events per second. Pacing is the caller's; here it only decides how many there are.
    public var rate: Double?
    public var durationMilliseconds: Int64?
    public var seed: UInt64?
    /// Event time, milliseconds since the epoch.
    public var startMilliseconds: Int64?
    public var spanMilliseconds: Int64?
    /// The present, so that the generator needs no clock.
    public var nowMilliseconds: Int64

    public init(
        events: Int? = nil, eventTypes: [String]? = nil, rate: Double? = nil, durationMilliseconds: Int64? = nil,
        seed: UInt64? = nil, startMilliseconds: Int64? = nil, spanMilliseconds: Int64? = nil, nowMilliseconds: Int64
    ) {
        self.events = events
        self.eventTypes = eventTypes
        self.rate = rate
        self.durationMilliseconds = durationMilliseconds
        self.seed = seed
        self.startMilliseconds = startMilliseconds
        self.spanMilliseconds = spanMilliseconds
        self.nowMilliseconds = nowMilliseconds
    }

    /// Whether neither a person nor the domain says when the events happen: they end about now.
    public func choosesStart(_ domain: DomainDefinition) -> Bool {
        startMilliseconds == nil && spanMilliseconds == nil && durationMilliseconds == nil
            && (events != nil || rate == nil)
            && domain.synthetic.startMilliseconds == nil && domain.synthetic.spanMilliseconds == nil
    }

    /// Lets the events begin behind `newest` (milliseconds since the epoch) if that is less than a span ago: before it a
    /// pipeline that has read what is there may have closed its windows.
    public mutating func goOn(after newest: Int64) {
        guard newest < nowMilliseconds, newest >= nowMilliseconds - Self.defaultSpanMilliseconds else { return }
        spanMilliseconds = nowMilliseconds - newest
    }
}
