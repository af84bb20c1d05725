internal import DataPath

/// Decides what a replayed record means for an aggregation that refused its original.
struct ReplayJudge {
    private let calendar: WindowCalendar

    init(_ spec: AggregationSpec) throws(AggregationError) { calendar = try WindowCalendar(spec) }

    /// Whether counting the record's time at its original place would have closed a window that was left open: then records
    /// behind it that were counted are late in truth.
    ///
    /// - Parameter clock: The clock before the original, ``RefusedOffsets/timed`` if the original has moved it.
    func movesClock(_ time: Int64, past clock: Int64) -> Bool {
        guard time > clock else { return false }
        // Sessions end anywhere, so every step of the clock may close one.
        if calendar.kind == .session { return true }
        return calendar.firstOpenWindow(at: calendar.watermark(highest: time))
            != calendar.firstOpenWindow(at: calendar.watermark(highest: clock))
    }

    /// Whether all windows of the record are open by the partition's clock of now, with the allowed lateness; then they were
    /// so at its original place. Of sessions never: which of them take the record, and which events it holds together,
    /// depends on those of its group that are closed, too.
    func isOpen(_ time: Int64, at clock: Int64) -> Bool {
        guard calendar.kind != .session else { return false }
        return calendar.firstWindow(ofPane: calendar.paneStart(of: time))
            >= calendar.firstOpenWindow(at: calendar.watermark(highest: clock))
    }
}
