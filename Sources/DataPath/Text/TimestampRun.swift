/// Timestamps one after the other, as ``TextFormat/writeTimestamp(_:style:to:)`` writes them. Neighbours are often equal or of
/// one day: what they share is copied from the last one.
///
/// All go to one buffer, which only grows meanwhile. Threads: one at a time.
public struct TimestampRun {
    private let style: TextFormat.TimestampStyle
    private var last: Int64 = 0
    /// Where the last one stands in the buffer; empty in the beginning.
    private var place = 0..<0
    /// When the last one's day began.
    private var dayStart: Int64 = 0

    private static let millisecondsPerDay: Int64 = 86_400_000
    /// What a year of four digits gives: `2026-11-21 13:45:30.123`, or one more with the Z.
    private let usualCount: Int
    private static let timeOffset = 11

    public init(style: TextFormat.TimestampStyle) {
        self.style = style
        usualCount = style == .iso8601 ? 24 : 23
    }

    /// Appends a timestamp, milliseconds since the epoch; gives where it stands.
    @discardableResult
    public mutating func write(_ milliseconds: Int64, to out: ByteBuffer) -> Range<Int> {
        let start = out.count
        let intoDay = milliseconds &- dayStart
        if place.count == usualCount, intoDay >= 0, intoDay < Self.millisecondsPerDay {
            out.reserve(place.count)
            out.end.update(from: out.bytes + place.lowerBound, count: place.count)
            if milliseconds != last {
                Self.putTime(UInt32(truncatingIfNeeded: intoDay), at: out.end + Self.timeOffset)
            }
            out.count &+= place.count
        } else {
            TextFormat.writeTimestamp(milliseconds, style: style, to: out)
            let rest = milliseconds % Self.millisecondsPerDay
            dayStart = milliseconds &- (rest < 0 ? rest + Self.millisecondsPerDay : rest)
        }
        last = milliseconds
        place = start..<out.count
        return place
    }

    /// The digits of `hh:mm:ss.mmm`; what stands between them is there.
    @inline(__always)
    private static func putTime(_ milliseconds: UInt32, at out: UnsafeMutablePointer<UInt8>) {
        func put(_ value: UInt32, at index: Int) {
            out[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value / 10)
            out[index &+ 1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value % 10)
        }
        let seconds = milliseconds / 1000
        put(seconds / 3600, at: 0)
        put(seconds / 60 % 60, at: 3)
        put(seconds % 60, at: 6)
        put(milliseconds % 1000 / 10, at: 9)
        out[11] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: milliseconds % 10)
    }
}
