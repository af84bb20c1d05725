internal import DataPath

/// Renders the timestamps of one column, of which neighbours are often equal or of one day.
struct TimestampText {
    private var last: Int64?
    private var lastCell = CellValue.null
    private var day = Int64.min
    private var dayStart = 0

    private static let millisecondsPerDay: Int64 = 86_400_000
    /// `2026-11-21 13:45:30.123`
    private static let byteCount = 23

    /// Renders to the end of `texts`, unless the last one is the same; `texts` is the same each time and only grows.
    @inline(__always)
    mutating func text(of milliseconds: Int64, in texts: ByteBuffer) -> CellValue {
        if milliseconds == last { return lastCell }
        let start = texts.count
        let intoDay = milliseconds &- day
        if intoDay >= 0, intoDay < Self.millisecondsPerDay, lastCell.byteCount == Self.byteCount {
            texts.reserve(Self.byteCount)
            let out = texts.bytes + start
            UnsafeMutableRawPointer(out).copyMemory(from: texts.bytes + dayStart, byteCount: Self.byteCount)
            Self.writeTime(UInt32(truncatingIfNeeded: intoDay), to: out + 11)
            texts.count += Self.byteCount
        } else {
            TextFormat.writeTimestamp(milliseconds, style: .sqlite, to: texts)
            let rest = milliseconds % Self.millisecondsPerDay
            day = milliseconds &- (rest < 0 ? rest + Self.millisecondsPerDay : rest)
            dayStart = start
        }
        last = milliseconds
        lastCell = CellValue(textAt: start..<texts.count)
        return lastCell
    }

    /// The digits of `hh:mm:ss.mmm`; what stands between them is there.
    @inline(__always)
    private static func writeTime(_ milliseconds: UInt32, to out: UnsafeMutablePointer<UInt8>) {
        let zero = UInt32(UInt8(ascii: "0"))
        func pair(_ value: UInt32, at index: Int) {
            out[index] = UInt8(truncatingIfNeeded: zero &+ value / 10)
            out[index &+ 1] = UInt8(truncatingIfNeeded: zero &+ value % 10)
        }
        let seconds = milliseconds / 1000
        pair(seconds / 3600, at: 0)
        pair(seconds / 60 % 60, at: 3)
        pair(seconds % 60, at: 6)
        pair(milliseconds % 1000 / 10, at: 9)
        out[11] = UInt8(truncatingIfNeeded: zero &+ milliseconds % 10)
    }
}
