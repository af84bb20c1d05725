/// The loops over rows. Each takes raw pointers once and has one typed loop for each case.
enum Kernels {
    /// One strict input.
    @inline(__always)
    static func map<A: BitwiseCopyable, R: BitwiseCopyable>(
        _ a: VectorRegister, _ out: VectorRegister, _ rows: Int, _: A.Type, _ function: (A) -> R
    ) {
        let x = a.pointer(A.self)
        let result = out.prepare(rows, R.self)
        for row in 0..<rows { result[row] = function(x[row]) }
        out.joinStates([a], rows: rows)
    }

    /// Two strict inputs.
    @inline(__always)
    static func map<A: BitwiseCopyable, R: BitwiseCopyable>(
        _ a: VectorRegister, _ b: VectorRegister, _ out: VectorRegister, _ rows: Int, _: A.Type,
        _ function: (A, A) -> R
    ) {
        let (x, y) = (a.pointer(A.self), b.pointer(A.self))
        let result = out.prepare(rows, R.self)
        for row in 0..<rows { result[row] = function(x[row], y[row]) }
        out.joinStates([a, b], rows: rows)
    }

    /// One strict input of a function that can fail: a failure where there is a value makes the row an error.
    @inline(__always)
    static func mapChecked<A: BitwiseCopyable, R: BitwiseCopyable>(
        _ a: VectorRegister, _ out: VectorRegister, _ rows: Int, _: A.Type, _ function: (A) -> (R, Bool)
    ) {
        let x = a.pointer(A.self)
        let result = out.prepare(rows, R.self)
        var anyFailed = false
        for row in 0..<rows {
            let (value, failed) = function(x[row])
            result[row] = value
            anyFailed = anyFailed || failed
        }
        out.joinStates([a], rows: rows)
        guard anyFailed else { return }
        let state = out.prepareState(rows)
        for row in 0..<rows where state[row] == 0 && function(x[row]).1 { state[row] = VectorRegister.error }
    }

    /// As ``mapChecked(_:_:_:_:_:)-swift.type.method`` with two inputs.
    @inline(__always)
    static func mapChecked<A: BitwiseCopyable, R: BitwiseCopyable>(
        _ a: VectorRegister, _ b: VectorRegister, _ out: VectorRegister, _ rows: Int, _: A.Type,
        _ function: (A, A) -> (R, Bool)
    ) {
        let (x, y) = (a.pointer(A.self), b.pointer(A.self))
        let result = out.prepare(rows, R.self)
        var anyFailed = false
        for row in 0..<rows {
            let (value, failed) = function(x[row], y[row])
            result[row] = value
            anyFailed = anyFailed || failed
        }
        out.joinStates([a, b], rows: rows)
        guard anyFailed else { return }
        let state = out.prepareState(rows)
        for row in 0..<rows where state[row] == 0 && function(x[row], y[row]).1 { state[row] = VectorRegister.error }
    }

    /// Makes rows with a value null where the second input is zero.
    @inline(__always)
    static func nullWhereZero<A: BitwiseCopyable & Numeric>(
        _ b: VectorRegister, _ out: VectorRegister, _ rows: Int, _: A.Type
    ) {
        let y = b.pointer(A.self)
        var anyZero = false
        for row in 0..<rows { anyZero = anyZero || y[row] == 0 }
        guard anyZero else { return }
        let state = out.prepareState(rows)
        for row in 0..<rows where y[row] == 0 && state[row] == 0 { state[row] = VectorRegister.null }
    }
}
