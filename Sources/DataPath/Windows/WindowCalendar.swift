/// Which panes and windows an event time falls in, and which windows a watermark has closed.
///
///     slide 2, duration 4 (pane 2)              cumulate, duration 4, step 2
///     panes     |  a  |  b  |  c  |  d  |       panes     |  a  |  b  |  c  |  d  |
///     windows   [  a     b  )     .     .       windows   [  a  )     .     .     .
///                     [  b     c  )     .                 [  a     b  )     .     .
///                           [  c     d  )                             [  c  )     .
///
/// A window has a number, which rises with its end: the start of a sliding window, the start of a cumulate window's last
/// pane. Sessions have no windows here, see ``SessionClock``.
/// All times are milliseconds since the epoch. Division is floor division, so times before 1970 are as good as others.
/// A window is closed when `end + allowedLateness <= watermark`, and complete when `end <= watermark`.
public struct WindowCalendar: Sendable {
    /// Event times further than this from the epoch (36 million years) belong to no window.
    public static let timeLimit: Int64 = 1 << 60
    /// Durations, delays and lateness beyond this are refused, so that no sum of them and a time overflows.
    static let spanLimit: Int64 = 1 << 53

    public let kind: WindowSpec.Kind
    public let durationMilliseconds: Int64
    public let slideMilliseconds: Int64
    public let paneMilliseconds: Int64
    let originMilliseconds: Int64
    let allowedLatenessMilliseconds: Int64
    let watermarkDelayMilliseconds: Int64
    /// From a window's number to its end.
    private let reachMilliseconds: Int64

    /// Throws ``AggregationError/invalidWindow(reason:)`` when a span is negative, zero where it must not be, or too long.
    public init(_ spec: AggregationSpec) throws(AggregationError) {
        let positive = 1...Self.spanLimit
        let notNegative = 0...Self.spanLimit
        guard positive.contains(spec.window.durationMilliseconds) else {
            throw .invalidWindow(reason: "the duration is not positive or too long")
        }
        guard positive.contains(spec.window.slideMilliseconds) else {
            throw .invalidWindow(reason: "the slide is not positive or too long")
        }
        guard notNegative.contains(spec.watermarkDelayMilliseconds) else {
            throw .invalidWindow(reason: "the watermark delay is negative or too long")
        }
        guard notNegative.contains(spec.allowedLatenessMilliseconds) else {
            throw .invalidWindow(reason: "the allowed lateness is negative or too long")
        }
        kind = spec.window.kind
        durationMilliseconds = spec.window.durationMilliseconds
        slideMilliseconds = spec.window.slideMilliseconds
        paneMilliseconds = spec.window.paneMilliseconds
        switch spec.window.kind {
        case .sliding:
            originMilliseconds = spec.window.originMilliseconds % slideMilliseconds
            reachMilliseconds = durationMilliseconds
        case .cumulate:
            guard durationMilliseconds % slideMilliseconds == 0 else {
                throw .invalidWindow(reason: "the step does not divide the duration")
            }
            originMilliseconds = spec.window.originMilliseconds % durationMilliseconds
            reachMilliseconds = slideMilliseconds
        case .session:
            originMilliseconds = 0
            reachMilliseconds = durationMilliseconds
        }
        allowedLatenessMilliseconds = spec.allowedLatenessMilliseconds
        watermarkDelayMilliseconds = spec.watermarkDelayMilliseconds
    }

    /// True when every pane is exactly one window.
    public var isTumbling: Bool { kind == .sliding && durationMilliseconds == slideMilliseconds }

    /// The start of the pane that holds `time`.
    public func paneStart(of time: Int64) -> Int64 { alignDown(time, to: paneMilliseconds) }

    /// The number of the earliest window that holds the pane.
    public func firstWindow(ofPane start: Int64) -> Int64 {
        if kind == .cumulate { return start }
        return alignDown(start + paneMilliseconds - durationMilliseconds - 1, to: slideMilliseconds) + slideMilliseconds
    }

    /// The number of the latest window that holds the pane. Before ``firstWindow(ofPane:)`` when no window holds it, which
    /// is possible when the slide is longer than the duration.
    public func lastWindow(ofPane start: Int64) -> Int64 {
        if kind == .cumulate { return windowStart(start) + durationMilliseconds - slideMilliseconds }
        return alignDown(start, to: slideMilliseconds)
    }

    public func windowStart(_ window: Int64) -> Int64 {
        kind == .cumulate ? alignDown(window, to: durationMilliseconds) : window
    }

    public func windowEnd(_ window: Int64) -> Int64 { window + reachMilliseconds }

    /// The number of the earliest window that `watermark` has not closed. `Int64.max` when it has closed all.
    public func firstOpenWindow(at watermark: Int64) -> Int64 {
        firstWindow(endingAfter: watermark, less: allowedLatenessMilliseconds)
    }

    /// The number of the earliest window whose end `watermark` has not passed. `Int64.max` when it has passed all.
    public func firstIncompleteWindow(at watermark: Int64) -> Int64 { firstWindow(endingAfter: watermark, less: 0) }

    private func firstWindow(endingAfter watermark: Int64, less lateness: Int64) -> Int64 {
        if watermark <= -Self.timeLimit * 2 { return .min }
        if watermark >= Self.timeLimit * 2 { return .max }
        return alignDown(watermark - reachMilliseconds - lateness, to: slideMilliseconds) + slideMilliseconds
    }

    /// The watermark of a partition whose highest event time is `highest`; `Int64.min` when it has seen none.
    public func watermark(highest: Int64) -> Int64 {
        let (watermark, overflow) = highest.subtractingReportingOverflow(watermarkDelayMilliseconds)
        return overflow ? .min : watermark
    }

    /// A partition whose highest event time is below this has not closed the window.
    func openLimit(ofWindow window: Int64) -> Int64 {
        windowEnd(window) + allowedLatenessMilliseconds + watermarkDelayMilliseconds
    }

    private func alignDown(_ time: Int64, to step: Int64) -> Int64 {
        let rest = (time - originMilliseconds) % step
        return time - (rest < 0 ? rest + step : rest)
    }
}

/// The state that rows of one pane share: rows for which some of the pane's windows were closed already are kept apart.
///
/// A row counts in the windows of its pane from `firstWindow` on. For nearly all rows that is the pane's first window. A row
/// that comes when its partition has closed some of the pane's windows but not all must not change those, although other
/// partitions may still hold them open: it goes to the state of (pane, first window that was open for it). Of a session
/// `firstWindow` is the row's floor: sessions that end by then are closed to it; `Int64.min` when none could be.
public struct PaneKey: Hashable, Sendable, Comparable {
    public var start: Int64
    public var firstWindow: Int64

    public init(start: Int64, firstWindow: Int64) {
        self.start = start
        self.firstWindow = firstWindow
    }

    public static func < (a: PaneKey, b: PaneKey) -> Bool { (a.start, a.firstWindow) < (b.start, b.firstWindow) }
}
