internal import DataPath

/// Renders the timestamps of one column; equal neighbours share a text.
struct TimestampText {
    private var run = TimestampRun(style: .sqlite)
    private var last: Int64?
    private var lastCell = CellValue.null

    /// Renders to the end of `texts`, unless the last one is the same; `texts` is the same each time and only grows.
    @inline(__always)
    mutating func text(of milliseconds: Int64, in texts: ByteBuffer) -> CellValue {
        if milliseconds != last {
            last = milliseconds
            lastCell = CellValue(textAt: run.write(milliseconds, to: texts))
        }
        return lastCell
    }
}
