extension Kernels {
    @inline(__always)
    static func holds(_ comparison: ComparisonOperator, _ order: Int) -> Bool {
        switch comparison {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }

    static func compare(
        _ comparison: ComparisonOperator, _ type: PhysicalType, _ a: VectorRegister, _ b: VectorRegister,
        _ out: VectorRegister, _ rows: Int
    ) {
        switch type {
        case .boolean: compareIntegers(comparison, a, b, out, rows, UInt8.self)
        case .int64: compareIntegers(comparison, a, b, out, rows, Int64.self)
        case .int128: compareIntegers(comparison, a, b, out, rows, Int128.self)
        case .double: compareDoubles(comparison, a, b, out, rows)
        case .bytes:
            let (x, y) = (a.views(rows: rows), b.views(rows: rows))
            let result = out.prepare(rows, UInt8.self)
            for row in 0..<rows { result[row] = holds(comparison, x[row].compare(y[row])) ? 1 : 0 }
            out.joinStates([a, b], rows: rows)
        }
    }

    @inline(__always)
    private static func compareIntegers<T: FixedWidthInteger & BitwiseCopyable>(
        _ comparison: ComparisonOperator, _ a: VectorRegister, _ b: VectorRegister, _ out: VectorRegister,
        _ rows: Int, _: T.Type
    ) {
        switch comparison {
        case .equal: map(a, b, out, rows, T.self) { $0 == $1 ? 1 : 0 as UInt8 }
        case .notEqual: map(a, b, out, rows, T.self) { $0 != $1 ? 1 : 0 as UInt8 }
        case .less: map(a, b, out, rows, T.self) { $0 < $1 ? 1 : 0 as UInt8 }
        case .lessOrEqual: map(a, b, out, rows, T.self) { $0 <= $1 ? 1 : 0 as UInt8 }
        case .greater: map(a, b, out, rows, T.self) { $0 > $1 ? 1 : 0 as UInt8 }
        case .greaterOrEqual: map(a, b, out, rows, T.self) { $0 >= $1 ? 1 : 0 as UInt8 }
        }
    }

    private static func compareDoubles(
        _ comparison: ComparisonOperator, _ a: VectorRegister, _ b: VectorRegister, _ out: VectorRegister, _ rows: Int
    ) {
        switch comparison {
        case .equal: map(a, b, out, rows, Double.self) { equal($0, $1) ? 1 : 0 as UInt8 }
        case .notEqual: map(a, b, out, rows, Double.self) { equal($0, $1) ? 0 : 1 as UInt8 }
        case .less: map(a, b, out, rows, Double.self) { less($0, $1) ? 1 : 0 as UInt8 }
        case .lessOrEqual: map(a, b, out, rows, Double.self) { less($1, $0) ? 0 : 1 as UInt8 }
        case .greater: map(a, b, out, rows, Double.self) { less($1, $0) ? 1 : 0 as UInt8 }
        case .greaterOrEqual: map(a, b, out, rows, Double.self) { less($0, $1) ? 0 : 1 as UInt8 }
        }
    }

    @inline(__always)
    private static func equal(_ a: Double, _ b: Double) -> Bool { a == b || a.isNaN && b.isNaN }

    @inline(__always)
    private static func less(_ a: Double, _ b: Double) -> Bool { a < b || b.isNaN && !a.isNaN }

    static func compare(
        _ comparison: ComparisonOperator, _ a: VectorRegister, _ value: Int64, _ out: VectorRegister, _ rows: Int
    ) {
        switch comparison {
        case .equal: map(a, out, rows, Int64.self) { $0 == value ? 1 : 0 as UInt8 }
        case .notEqual: map(a, out, rows, Int64.self) { $0 != value ? 1 : 0 as UInt8 }
        case .less: map(a, out, rows, Int64.self) { $0 < value ? 1 : 0 as UInt8 }
        case .lessOrEqual: map(a, out, rows, Int64.self) { $0 <= value ? 1 : 0 as UInt8 }
        case .greater: map(a, out, rows, Int64.self) { $0 > value ? 1 : 0 as UInt8 }
        case .greaterOrEqual: map(a, out, rows, Int64.self) { $0 >= value ? 1 : 0 as UInt8 }
        }
    }

    /// The constant may be NaN; then the general rule decides.
    static func compareDouble(
        _ comparison: ComparisonOperator, _ a: VectorRegister, _ value: Double, _ out: VectorRegister, _ rows: Int
    ) {
        switch comparison {
        case .equal: map(a, out, rows, Double.self) { equal($0, value) ? 1 : 0 as UInt8 }
        case .notEqual: map(a, out, rows, Double.self) { equal($0, value) ? 0 : 1 as UInt8 }
        case .less: map(a, out, rows, Double.self) { less($0, value) ? 1 : 0 as UInt8 }
        case .lessOrEqual: map(a, out, rows, Double.self) { less(value, $0) ? 0 : 1 as UInt8 }
        case .greater: map(a, out, rows, Double.self) { less(value, $0) ? 1 : 0 as UInt8 }
        case .greaterOrEqual: map(a, out, rows, Double.self) { less($0, value) ? 0 : 1 as UInt8 }
        }
    }

    /// Whether a sorted list holds a value: from end to end when it is short, else by halves.
    @inline(__always)
    static func contains(_ list: UnsafeBufferPointer<Int64>, _ value: Int64) -> Bool {
        if list.count <= 8 {
            var found = false
            for index in 0..<list.count { found = found || list[index] == value }
            return found
        }
        var (low, high) = (0, list.count)
        while low < high {
            let middle = (low + high) / 2
            if list[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low < list.count && list[low] == value
    }

    /// As the other; a list of byte strings.
    static func contains(_ list: [[UInt8]], _ value: ByteView) -> Bool {
        var (low, high) = (0, list.count)
        while low < high {
            let middle = (low + high) / 2
            let order = list[middle].withUnsafeBufferPointer { bytes in
                bytes.baseAddress.map { value.compare(ByteView(start: $0, count: bytes.count)) } ?? value.count
            }
            if order == 0 { return true }
            if order > 0 { low = middle + 1 } else { high = middle }
        }
        return false
    }
}
