/// Event-time windows `[start, end)`; all but sessions are aligned to the epoch plus an origin.
///
/// A tumbling window is a sliding one whose slide equals its duration. All windows are computed by panes: runs of
/// ``paneMilliseconds`` of which every window holds a whole number; of a session, runs of its gap.
public struct WindowSpec: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        /// Windows of one duration, one begins every slide.
        case sliding
        /// `[start, start + k * step)` for every k up to the duration.
        case cumulate
        /// `[first event, last event + gap)`: events of one group less than a gap apart are in one session.
        case session
    }

    public var kind: Kind
    /// Of a session its gap.
    public var durationMilliseconds: Int64
    /// Of a cumulate window its step, of a session its gap.
    public var slideMilliseconds: Int64
    /// Windows begin at `origin + n * slide`, cumulate windows at `origin + n * duration`.
    public var originMilliseconds: Int64

    public init(durationMilliseconds: Int64, slideMilliseconds: Int64? = nil, originMilliseconds: Int64 = 0) {
        kind = .sliding
        self.durationMilliseconds = durationMilliseconds
        self.slideMilliseconds = slideMilliseconds ?? durationMilliseconds
        self.originMilliseconds = originMilliseconds
    }

    /// The step must divide the duration.
    public static func cumulate(
        durationMilliseconds: Int64, stepMilliseconds: Int64, originMilliseconds: Int64 = 0
    ) -> WindowSpec {
        var spec = WindowSpec(
            durationMilliseconds: durationMilliseconds, slideMilliseconds: stepMilliseconds,
            originMilliseconds: originMilliseconds)
        spec.kind = .cumulate
        return spec
    }

    public static func session(gapMilliseconds: Int64) -> WindowSpec {
        var spec = WindowSpec(durationMilliseconds: gapMilliseconds)
        spec.kind = .session
        return spec
    }

    public var isTumbling: Bool { kind == .sliding && slideMilliseconds == durationMilliseconds }

    /// The greatest common divisor of duration and slide.
    public var paneMilliseconds: Int64 {
        var (a, b) = (durationMilliseconds, slideMilliseconds)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }
}
