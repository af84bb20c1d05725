/// Lines of NDJSON without nested objects: what stands before each value, made once for a schema.
final class FlatLayout: Sendable {
    /// `{"a":` of the first column, `,"b":` of the others, behind each other.
    private let text: [UInt8]
    private let ends: [Int]
    private let columns: [Int]

    /// `keys` are `"name":` of the columns `columns`, in the order of a line.
    init(keys: [[UInt8]], columns: [Int]) {
        var text: [UInt8] = []
        var ends: [Int] = []
        for (index, key) in keys.enumerated() {
            text.append(UInt8(ascii: index == 0 ? "{" : ","))
            text += key
            ends.append(text.count)
        }
        (self.text, self.ends, self.columns) = (text, ends, columns)
    }

    /// The batch seen as such lines; nil when a column is of a kind that ``FlatLines`` does not write.
    func lines(of batch: RecordBatch) -> FlatLines? {
        var steps: [FlatLines.Step] = []
        steps.reserveCapacity(columns.count)
        for (index, column) in columns.enumerated() {
            guard
                let step = FlatLines.Step(
                    batch.schema.columns[column].type, batch.columns[column], textEnd: ends[index])
            else { return nil }
            steps.append(step)
        }
        return FlatLines(text: text, steps: steps, batch: batch)
    }
}

/// Rows of a batch on their way to lines: plain pointers into its columns, so that a value costs no call that knows its type.
struct FlatLines {
    struct Step {
        enum Kind { case integer, timestamp, double, boolean, text }

        let kind: Kind
        /// Where what stands before the value ends.
        let textEnd: Int
        let nulls: UnsafePointer<Bool>
        /// The values; of text its arena.
        let values: UnsafeRawPointer
        /// Where each text begins.
        let offsets: UnsafePointer<UInt32>?

        init?(_ type: LogicalType, _ column: ColumnVector, textEnd: Int) {
            self.textEnd = textEnd
            switch (column, type) {
            case (.int64(let vector), .int), (.int64(let vector), .long):
                (kind, nulls, values, offsets) = (
                    .integer, UnsafePointer(vector.nulls), UnsafeRawPointer(vector.values), nil
                )
            case (.int64(let vector), .timestamp):
                (kind, nulls, values, offsets) = (
                    .timestamp, UnsafePointer(vector.nulls), UnsafeRawPointer(vector.values), nil
                )
            case (.double(let vector), .double):
                (kind, nulls, values, offsets) = (
                    .double, UnsafePointer(vector.nulls), UnsafeRawPointer(vector.values), nil
                )
            case (.boolean(let vector), .boolean):
                (kind, nulls, values, offsets) = (
                    .boolean, UnsafePointer(vector.nulls), UnsafeRawPointer(vector.values), nil
                )
            case (.bytes(let vector), .string), (.bytes(let vector), .uuid):
                (kind, nulls, values) = (.text, UnsafePointer(vector.nulls), UnsafeRawPointer(vector.arena))
                offsets = UnsafePointer(vector.offsets)
            default: return nil
            }
        }
    }

    let text: [UInt8]
    let steps: [Step]
    /// What the pointers point into.
    let batch: RecordBatch

    /// Appends the lines of these rows; `ends` gets where in `out` each one ends.
    func write(_ rows: Range<Int>, to out: ByteBuffer, ends: UnsafeMutablePointer<Int>?) {
        var day = DayText()
        text.withUnsafeBufferPointer { text in
            guard let text = text.baseAddress else { return }
            steps.withUnsafeBufferPointer { steps in
                for row in rows {
                    var keyStart = 0
                    for step in steps {
                        let length = step.textEnd &- keyStart
                        out.reserve(length)
                        out.end.update(from: text + keyStart, count: length)
                        out.count &+= length
                        keyStart = step.textEnd
                        if step.nulls[row] {
                            out.append("null")
                        } else {
                            Self.write(step, row, &day, to: out)
                        }
                    }
                    out.append(UInt8(ascii: "}"))
                    out.append(UInt8(ascii: "\n"))
                    if let ends { ends[row &- rows.lowerBound] = out.count }
                }
            }
        }
    }

    @inline(__always)
    private static func write(_ step: Step, _ row: Int, _ day: inout DayText, to out: ByteBuffer) {
        switch step.kind {
        case .integer:
            TextFormat.writeInteger(step.values.assumingMemoryBound(to: Int64.self)[row], to: out)
        case .timestamp:
            out.append(UInt8(ascii: "\""))
            day.write(step.values.assumingMemoryBound(to: Int64.self)[row], to: out)
            out.append(UInt8(ascii: "\""))
        case .double:
            let value = step.values.assumingMemoryBound(to: Double.self)[row]
            if value.isFinite { TextFormat.writeDouble(value, to: out) } else { out.append("null") }
        case .boolean:
            out.append(step.values.assumingMemoryBound(to: Bool.self)[row] ? "true" : "false")
        case .text:
            guard let offsets = step.offsets else { return }
            let start = Int(offsets[row])
            TextFormat.writeJSONString(
                UnsafeRawBufferPointer(start: step.values + start, count: Int(offsets[row &+ 1]) &- start), to: out)
        }
    }
}

/// Timestamps as ``TextFormat/writeTimestamp(_:style:to:)`` writes them; a day's date is made once for its neighbours.
private struct DayText {
    private static let dayLength: Int64 = 86_400_000
    /// The first moment of the day whose date is kept, and of the next one; none in the beginning.
    private var first: Int64 = 0
    private var next: Int64 = 0
    private let date = ByteBuffer(capacity: 64)

    @inline(__always)
    mutating func write(_ milliseconds: Int64, to out: ByteBuffer) {
        guard milliseconds >= first && milliseconds < next || keep(milliseconds) else {
            TextFormat.writeTimestamp(milliseconds, to: out)
            return
        }
        // YYYY-MM-DDThh:mm:ss.mmmZ
        out.reserve(24)
        let end = out.end
        end.update(from: date.bytes, count: 24)
        let rest = Int(milliseconds &- first)
        let (hours, minutes, seconds, thousandths) =
            (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, rest % 1000)
        Self.put(hours, end + 11)
        Self.put(minutes, end + 14)
        Self.put(seconds, end + 17)
        end[20] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: thousandths / 100)
        Self.put(thousandths % 100, end + 21)
        out.count &+= 24
    }

    /// Keeps the date of this moment's day; false, and nothing is kept, where a year has another number of digits.
    private mutating func keep(_ milliseconds: Int64) -> Bool {
        date.removeAll()
        TextFormat.writeTimestamp(milliseconds, to: date)
        guard date.count == 24 else {
            (first, next) = (0, 0)
            return false
        }
        let rest = milliseconds % Self.dayLength
        first = milliseconds - (rest < 0 ? rest + Self.dayLength : rest)
        next = first + Self.dayLength
        return true
    }

    @inline(__always)
    private static func put(_ number: Int, _ out: UnsafeMutablePointer<UInt8>) {
        out[0] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number / 10)
        out[1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number % 10)
    }
}
