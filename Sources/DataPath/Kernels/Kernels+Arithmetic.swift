extension Kernels {
    static func arithmetic(
        _ operation: ArithmeticOperator, _ type: PhysicalType, _ a: VectorRegister, _ b: VectorRegister,
        _ out: VectorRegister, _ rows: Int
    ) {
        switch (type, operation) {
        case (.int64, .add): mapChecked(a, b, out, rows, Int64.self) { $0.addingReportingOverflow($1) }
        case (.int64, .subtract): mapChecked(a, b, out, rows, Int64.self) { $0.subtractingReportingOverflow($1) }
        case (.int64, .multiply): mapChecked(a, b, out, rows, Int64.self) { $0.multipliedReportingOverflow(by: $1) }
        case (.int64, .remainder):
            map(a, b, out, rows, Int64.self) { $1 == 0 || $1 == -1 ? 0 : $0 % $1 }
            nullWhereZero(b, out, rows, Int64.self)
        case (.int128, .add): mapChecked(a, b, out, rows, Int128.self) { limited($0.addingReportingOverflow($1)) }
        case (.int128, .subtract):
            mapChecked(a, b, out, rows, Int128.self) { limited($0.subtractingReportingOverflow($1)) }
        case (.int128, .multiply):
            mapChecked(a, b, out, rows, Int128.self) { limited($0.multipliedReportingOverflow(by: $1)) }
        case (.int128, .remainder):
            map(a, b, out, rows, Int128.self) { $1 == 0 || $1 == -1 ? 0 : $0 % $1 }
            nullWhereZero(b, out, rows, Int128.self)
        case (.double, .add): map(a, b, out, rows, Double.self) { $0 + $1 }
        case (.double, .subtract): map(a, b, out, rows, Double.self) { $0 - $1 }
        case (.double, .multiply): map(a, b, out, rows, Double.self) { $0 * $1 }
        case (.double, .divide):
            map(a, b, out, rows, Double.self) { $0 / $1 }
            nullWhereZero(b, out, rows, Double.self)
        case (.double, .remainder):
            map(a, b, out, rows, Double.self) { $0.truncatingRemainder(dividingBy: $1) }
            nullWhereZero(b, out, rows, Double.self)
        default: preconditionFailure("the expression compiler has no such arithmetic")
        }
    }

    /// Operations of one numeric or time input.
    static func number(_ operation: VectorOperation, _ a: VectorRegister, _ out: VectorRegister, _ rows: Int) {
        switch operation {
        case .negate(.int64):
            mapChecked(a, out, rows, Int64.self) { (x: Int64) -> (Int64, Bool) in
                Int64(0).subtractingReportingOverflow(x)
            }
        case .negate(.int128): map(a, out, rows, Int128.self) { (x: Int128) -> Int128 in 0 &- x }
        case .negate(.double): map(a, out, rows, Double.self) { (x: Double) -> Double in -x }
        case .absolute(.int64):
            mapChecked(a, out, rows, Int64.self) { (x: Int64) -> (Int64, Bool) in
                x < 0 ? Int64(0).subtractingReportingOverflow(x) : (x, false)
            }
        case .absolute(.int128): map(a, out, rows, Int128.self) { (x: Int128) -> Int128 in x < 0 ? 0 &- x : x }
        case .absolute(.double): map(a, out, rows, Double.self) { (x: Double) -> Double in x.magnitude }
        case .floor: map(a, out, rows, Double.self) { (x: Double) -> Double in x.rounded(.down) }
        case .ceiling: map(a, out, rows, Double.self) { (x: Double) -> Double in x.rounded(.up) }
        case .roundDouble(let digits): roundDouble(digits, a, out, rows)
        case .roundInteger(let unit):
            mapChecked(a, out, rows, Int64.self) { (x: Int64) -> (Int64, Bool) in
                divide(x, unit, .halfAwayFromZero).multipliedReportingOverflow(by: unit)
            }
        case .roundToFloat: map(a, out, rows, Double.self) { (x: Double) -> Double in Double(Float(x)) }
        case .dateToTimestamp:
            mapChecked(a, out, rows, Int64.self) { (x: Int64) -> (Int64, Bool) in
                x.multipliedReportingOverflow(by: CalendarTime.dayMilliseconds)
            }
        case .timestampToDate:
            map(a, out, rows, Int64.self) { (x: Int64) -> Int64 in
                CalendarTime.floorDivide(x, CalendarTime.dayMilliseconds)
            }
        case .truncateTimestamp(let unit):
            map(a, out, rows, Int64.self) { (x: Int64) -> Int64 in CalendarTime.truncate(x, to: unit) }
        case .timestampPart(let part):
            map(a, out, rows, Int64.self) { (x: Int64) -> Int64 in CalendarTime.part(part, of: x) }
        default: cast(operation, a, out, rows)
        }
    }

    private static func roundDouble(_ digits: Int, _ a: VectorRegister, _ out: VectorRegister, _ rows: Int) {
        let factor = powerOfTenDouble(abs(digits))
        map(a, out, rows, Double.self) { (x: Double) -> Double in
            if digits == 0 { return x.rounded(.toNearestOrAwayFromZero) }
            let rounded =
                digits > 0
                ? (x * factor).rounded(.toNearestOrAwayFromZero) / factor
                : (x / factor).rounded(.toNearestOrAwayFromZero) * factor
            return rounded.isFinite ? rounded : x
        }
    }

    /// Results beyond 38 digits are overflows.
    @inline(__always)
    static func limited(_ result: (partialValue: Int128, overflow: Bool)) -> (Int128, Bool) {
        let limit = powersOfTen[38]
        return (
            result.partialValue, result.overflow || result.partialValue >= limit || result.partialValue <= 0 - limit
        )
    }
}
