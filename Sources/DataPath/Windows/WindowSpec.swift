/// Event-time windows `[start, end)`, aligned to the epoch plus an origin.
///
/// A tumbling window is one whose slide equals its duration. All windows are computed by panes: runs of
/// ``paneMilliseconds`` of which every window holds a whole number.
public struct WindowSpec: Hashable, Sendable {
    public var durationMilliseconds: Int64
    public var slideMilliseconds: Int64
    /// Windows begin at `origin + n * slide`.
    public var originMilliseconds: Int64

    public init(durationMilliseconds: Int64, slideMilliseconds: Int64? = nil, originMilliseconds: Int64 = 0) {
        self.durationMilliseconds = durationMilliseconds
        self.slideMilliseconds = slideMilliseconds ?? durationMilliseconds
        self.originMilliseconds = originMilliseconds
    }

    public var isTumbling: Bool { slideMilliseconds == durationMilliseconds }

    /// The greatest common divisor of duration and slide.
    public var paneMilliseconds: Int64 {
        var (a, b) = (durationMilliseconds, slideMilliseconds)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }
}
