/// What a worker knows of one aggregation's watermark: the part of its own partitions.
struct WatermarkReport: Sendable, Equatable {
    /// The lowest watermark of the partitions that are not idle; `Int64.max` when there is none.
    var active: Int64 = .max
    /// The highest watermark of the idle ones; `Int64.min` when there is none.
    var idle: Int64 = .min

    /// Adds one partition.
    mutating func add(maxEventTime: Int64, delay: Int64, isIdle: Bool) {
        let watermark = maxEventTime == .min ? Int64.min : maxEventTime.subtractingReportingOverflow(delay).partialValue
        if isIdle {
            idle = max(idle, watermark)
        } else {
            active = min(active, watermark)
        }
    }

    /// The watermark over all workers: the minimum of the active partitions; when every partition is idle, the maximum,
    /// so that the result does not depend on which fell idle last. Nil before there is one.
    static func combine(_ reports: some Sequence<WatermarkReport>) -> Int64? {
        var total = WatermarkReport()
        for report in reports {
            total.active = min(total.active, report.active)
            total.idle = max(total.idle, report.idle)
        }
        let watermark = total.active == .max ? total.idle : total.active
        return watermark == .min ? nil : watermark
    }
}
