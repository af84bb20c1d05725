/// 10^0 to 10^38.
let powersOfTen: [Int128] = {
    var powers: [Int128] = [1]
    while powers.count <= 38 { powers.append((powers.last ?? 1) * 10) }
    return powers
}()

func powerOfTenDouble(_ exponent: Int) -> Double {
    var result = 1.0
    for _ in 0..<min(exponent, 308) { result *= 10 }
    return result
}

extension Kernels {
    static func cast(_ operation: VectorOperation, _ a: VectorRegister, _ out: VectorRegister, _ rows: Int) {
        switch operation {
        case .integerToDouble: map(a, out, rows, Int64.self) { (x: Int64) -> Double in Double(x) }
        case .decimalToDouble(let scale):
            let divisor = Double(powersOfTen[min(scale, 38)])
            map(a, out, rows, Int128.self) { (x: Int128) -> Double in Double(x) / divisor }
        case .integerToDecimal(let power):
            let factor = powersOfTen[min(power, 38)]
            mapChecked(a, out, rows, Int64.self) { (x: Int64) -> (Int128, Bool) in
                limited(Int128(x).multipliedReportingOverflow(by: factor))
            }
        case .rescaleDecimal(let power, let rounding, let precision):
            let limit = powersOfTen[min(precision, 38)]
            let factor = powersOfTen[min(abs(power), 38)]
            mapChecked(a, out, rows, Int128.self) { (x: Int128) -> (Int128, Bool) in
                let (value, overflow) =
                    power >= 0 ? x.multipliedReportingOverflow(by: factor) : (divide(x, factor, rounding), false)
                return (value, overflow || value >= limit || value <= 0 - limit)
            }
        case .decimalToInteger:
            mapChecked(a, out, rows, Int128.self) { (x: Int128) -> (Int64, Bool) in
                (Int64(truncatingIfNeeded: x), Int64(exactly: x) == nil)
            }
        case .doubleToInteger:
            mapChecked(a, out, rows, Double.self) { (x: Double) -> (Int64, Bool) in
                let value = Int64(exactly: x.rounded(.toNearestOrEven))
                return (value ?? 0, value == nil)
            }
        case .doubleToDecimal(let scale, let precision):
            let factor = Double(powersOfTen[min(scale, 38)])
            let limit = powersOfTen[min(precision, 38)]
            mapChecked(a, out, rows, Double.self) { (x: Double) -> (Int128, Bool) in
                let value = Int128(exactly: (x * factor).rounded(.toNearestOrAwayFromZero)) ?? limit
                return (value, value >= limit || value <= 0 - limit)
            }
        case .checkRange(let low, let high):
            mapChecked(a, out, rows, Int64.self) { (x: Int64) -> (Int64, Bool) in (x, x < low || x > high) }
        default: preconditionFailure("the expression compiler knows the inputs of every operation")
        }
    }

    /// The quotient by a positive divisor.
    @inline(__always)
    static func divide<T: FixedWidthInteger>(_ value: T, _ divisor: T, _ rounding: DecimalRounding) -> T {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        switch rounding {
        case .down: return remainder < 0 ? quotient - 1 : quotient
        case .up: return remainder > 0 ? quotient + 1 : quotient
        case .halfAwayFromZero:
            let isHalfOrMore = remainder.magnitude >= divisor.magnitude - remainder.magnitude
            return isHalfOrMore && remainder != 0 ? (value < 0 ? quotient - 1 : quotient + 1) : quotient
        }
    }
}
