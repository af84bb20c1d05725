extension Kernels {
    /// False wins over null and error; error over null.
    static func and(_ a: VectorRegister, _ b: VectorRegister, _ out: VectorRegister, _ rows: Int) {
        combine(a, b, out, rows, decisive: 0) { $0 & $1 }
    }

    /// True wins over null and error; error over null.
    static func or(_ a: VectorRegister, _ b: VectorRegister, _ out: VectorRegister, _ rows: Int) {
        combine(a, b, out, rows, decisive: 1) { $0 | $1 }
    }

    @inline(__always)
    private static func combine(
        _ a: VectorRegister, _ b: VectorRegister, _ out: VectorRegister, _ rows: Int, decisive: UInt8,
        _ function: (UInt8, UInt8) -> UInt8
    ) {
        map(a, b, out, rows, UInt8.self, function)
        guard out.hasState else { return }
        let (x, y, result, state) = (a.pointer(UInt8.self), b.pointer(UInt8.self), out.pointer(UInt8.self), out.state)
        for row in 0..<rows where state[row] != 0 {
            let isDecided =
                x[row] == decisive && (!a.hasState || a.state[row] == 0)
                || y[row] == decisive && (!b.hasState || b.state[row] == 0)
            if isDecided {
                result[row] = decisive
                state[row] = 0
            }
        }
    }

    static func isNull(_ a: VectorRegister, _ out: VectorRegister, _ rows: Int, negated: Bool) {
        let result = out.prepare(rows, UInt8.self)
        let ifNull: UInt8 = negated ? 0 : 1
        guard a.hasState else { return result.update(repeating: ifNull ^ 1, count: rows) }
        let input = a.state
        var all: UInt8 = 0
        for row in 0..<rows {
            result[row] = input[row] == 0 ? ifNull ^ 1 : ifNull
            all |= input[row]
        }
        guard all & VectorRegister.error != 0 else { return }
        let state = out.prepareState(rows)
        for row in 0..<rows { state[row] = input[row] & VectorRegister.error }
    }

    static func choose(
        _ type: PhysicalType, _ condition: VectorRegister, _ a: VectorRegister, _ b: VectorRegister,
        _ out: VectorRegister, _ rows: Int
    ) {
        switch type {
        case .boolean: choose(condition, a, b, out, rows, UInt8.self)
        case .int64: choose(condition, a, b, out, rows, Int64.self)
        case .int128: choose(condition, a, b, out, rows, Int128.self)
        case .double: choose(condition, a, b, out, rows, Double.self)
        case .bytes:
            _ = (a.views(rows: rows), b.views(rows: rows))
            choose(condition, a, b, out, rows, ByteView.self)
        }
    }

    @inline(__always)
    private static func choose<T: BitwiseCopyable>(
        _ condition: VectorRegister, _ a: VectorRegister, _ b: VectorRegister, _ out: VectorRegister, _ rows: Int,
        _: T.Type
    ) {
        let (test, x, y) = (condition.pointer(UInt8.self), a.pointer(T.self), b.pointer(T.self))
        let result = out.prepare(rows, T.self)
        guard condition.hasState || a.hasState || b.hasState else {
            for row in 0..<rows { result[row] = test[row] != 0 ? x[row] : y[row] }
            return
        }
        let state = out.prepareState(rows)
        for row in 0..<rows {
            let testState = condition.hasState ? condition.state[row] : 0
            let isTrue = testState == 0 && test[row] != 0
            result[row] = isTrue ? x[row] : y[row]
            let chosen = isTrue ? (a.hasState ? a.state[row] : 0) : (b.hasState ? b.state[row] : 0)
            state[row] = testState & VectorRegister.error != 0 ? VectorRegister.error : chosen
        }
    }

    static func coalesce(
        _ type: PhysicalType, _ a: VectorRegister, _ b: VectorRegister, _ out: VectorRegister, _ rows: Int
    ) {
        switch type {
        case .boolean: coalesce(a, b, out, rows, UInt8.self)
        case .int64: coalesce(a, b, out, rows, Int64.self)
        case .int128: coalesce(a, b, out, rows, Int128.self)
        case .double: coalesce(a, b, out, rows, Double.self)
        case .bytes:
            _ = (a.views(rows: rows), b.views(rows: rows))
            coalesce(a, b, out, rows, ByteView.self)
        }
    }

    @inline(__always)
    private static func coalesce<T: BitwiseCopyable>(
        _ a: VectorRegister, _ b: VectorRegister, _ out: VectorRegister, _ rows: Int, _: T.Type
    ) {
        let (x, y) = (a.pointer(T.self), b.pointer(T.self))
        let result = out.prepare(rows, T.self)
        guard a.hasState else { return result.update(from: x, count: rows) }
        let state = out.prepareState(rows)
        for row in 0..<rows {
            let takesSecond = a.state[row] == VectorRegister.null
            result[row] = takesSecond ? y[row] : x[row]
            state[row] = takesSecond ? (b.hasState ? b.state[row] : 0) : a.state[row] & VectorRegister.error
        }
    }
}
