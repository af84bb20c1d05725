/// How busy each moment is, and when the n-th part of all activity has passed.
///
/// Shape: constant within each hour (UTC). Peak hours weigh 3, the hours beside them 1.75, others 1; Saturdays and
/// Sundays are multiplied by the weekend multiplier. Mass is weight times milliseconds.
///
/// The cursor only goes forward: ``time(atMass:)`` is called with masses that never fall.
struct IntensityCurve {
    static let hour: Int64 = 3_600_000
    static let peakWeight = 3.0
    static let besidePeakWeight = 1.75

    /// By hour of the week; hour 0 is Sunday 00:00 UTC.
    private let weights: [Double]
    private let end: Int64?
    private var segmentStart: Int64
    private var segmentEnd: Int64
    private var weight: Double
    private var massBefore = 0.0

    /// `end` nil: without end.
    init(start: Int64, end: Int64?, peakHours: [Int], weekendMultiplier: Double) {
        let peaks = Set(peakHours)
        weights = (0..<168).map { slot in
            let hour = slot % 24
            let shape =
                peaks.contains(hour)
                ? Self.peakWeight
                : peaks.contains((hour + 1) % 24) || peaks.contains((hour + 23) % 24) ? Self.besidePeakWeight : 1
            return shape * (slot < 24 || slot >= 144 ? weekendMultiplier : 1)
        }
        self.end = end
        segmentStart = start
        segmentEnd = Self.floorToHour(start) + Self.hour
        weight = weights[Self.hourOfWeek(start)]
        if let end { segmentEnd = min(segmentEnd, end) }
    }

    /// The mass of the whole span; nil without end.
    var totalMass: Double? {
        guard let end else { return nil }
        var total = 0.0
        var cursor = segmentStart
        while cursor < end {
            let next = min(Self.floorToHour(cursor) + Self.hour, end)
            total += Double(next - cursor) * weights[Self.hourOfWeek(cursor)]
            cursor = next
        }
        return total
    }

    /// The moment by which `mass` has passed: the inverse of the cumulative intensity.
    mutating func time(atMass mass: Double) -> Int64 {
        while true {
            let segmentMass = Double(segmentEnd - segmentStart) * weight
            if mass < massBefore + segmentMass {
                return min(segmentStart + Int64((mass - massBefore) / weight), segmentEnd - 1)
            }
            if let end, segmentEnd >= end { return end - 1 }
            massBefore += segmentMass
            segmentStart = segmentEnd
            segmentEnd += Self.hour
            if let end { segmentEnd = min(segmentEnd, end) }
            weight = weights[Self.hourOfWeek(segmentStart)]
        }
    }

    static func hourOfWeek(_ milliseconds: Int64) -> Int {
        // 1970-01-01 was a Thursday: four days after a Sunday.
        let hours = floorToHour(milliseconds) / hour + 96
        return Int(((hours % 168) + 168) % 168)
    }

    private static func floorToHour(_ milliseconds: Int64) -> Int64 {
        let rest = milliseconds % hour
        return milliseconds - (rest < 0 ? rest + hour : rest)
    }
}
