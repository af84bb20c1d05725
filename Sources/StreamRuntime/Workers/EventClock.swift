internal import DataPath

/// Event time of one partition as a consumer has seen it, row by row.
///
/// Lateness is judged at a record's own offset: against the highest event time *before* it in its partition, so that
/// replaying at any speed gives the same answer. Threads: one.
final class EventClock {
    /// For each row of the last batch the highest event time before it; `Int64.min` for none.
    private(set) var runningMax: UnsafeMutablePointer<Int64>
    private var capacity: Int
    private(set) var highest: Int64 = .min

    init() {
        capacity = 4096
        runningMax = .allocate(capacity: capacity)
    }

    deinit { runningMax.deallocate() }

    /// Computes ``runningMax`` for a batch that begins after `start`, and ``highest`` after it. Rows outside `rows` (nil =
    /// all are inside) do not move the clock.
    func run(_ timestamps: UnsafePointer<Int64>, count: Int, rows: Selection?, from start: Int64) {
        if count > capacity {
            runningMax.deallocate()
            capacity = count
            runningMax = .allocate(capacity: capacity)
        }
        var highest = start
        if let rows {
            for row in 0..<count { runningMax[row] = start }
            for index in 0..<rows.count {
                let row = Int(rows.rows[index])
                runningMax[row] = highest
                if timestamps[row] > highest { highest = timestamps[row] }
            }
        } else {
            for row in 0..<count {
                runningMax[row] = highest
                if timestamps[row] > highest { highest = timestamps[row] }
            }
        }
        self.highest = highest
    }
}
