/// Exact sums of doubles as integers in units of 2^-1074, the smallest double: two's complement, 2,176 bits each.
///
/// A superaccumulator after Kulisch: addition is integer addition, so the sum depends on no order, and 2^77 of the largest
/// doubles fit. Most groups never need one: see ``DoubleSumStates``. Threads: one at a time.
final class ExactSumPool {
    /// 2,098 bits hold every finite double; the rest is room for carries and the sign.
    static let limbCount = 34

    private(set) var limbs: UnsafeMutablePointer<UInt64>
    private(set) var count = 0
    private var capacity = leastCapacity
    private static let leastCapacity = 4

    init() { limbs = GrowingMemory.resize(nil, to: capacity * Self.limbCount) }

    deinit { GrowingMemory.free(limbs) }

    var memoryBytes: Int { capacity * Self.limbCount * 8 }

    /// Bytes that so many further sums would take at their peak, beyond what is there.
    func growthBytes(for more: Int) -> Int {
        GrowingMemory.growthBytes(from: capacity, needed: count + more, stride: Self.limbCount * 8)
    }

    /// Bytes of a pool of so many sums; of none no pool is needed.
    static func memoryBytes(for count: Int) -> Int {
        let stride = limbCount * 8
        return count == 0 ? 0 : GrowingMemory.capacity(from: leastCapacity, needed: count, stride: stride) * stride
    }

    /// Adds a sum of zero and returns its index.
    func append() -> Int {
        if count == capacity {
            capacity = GrowingMemory.capacity(
                from: capacity, needed: count + 1, stride: Self.limbCount * 8)
            limbs = GrowingMemory.resize(limbs, to: capacity * Self.limbCount)
        }
        self[count].initialize(repeating: 0, count: Self.limbCount)
        count += 1
        return count - 1
    }

    subscript(index: Int) -> UnsafeMutablePointer<UInt64> { limbs + index * Self.limbCount }

    func removeAll() {
        count = 0
        guard memoryBytes > 1 << 20 else { return }
        capacity = Self.leastCapacity
        limbs = GrowingMemory.resize(limbs, to: capacity * Self.limbCount)
    }
}

/// Arithmetic on one sum of an ``ExactSumPool``.
enum ExactSum {
    /// Adds a finite double.
    static func add(_ value: Double, to sum: UnsafeMutablePointer<UInt64>) {
        let bits = value.bitPattern
        let exponent = Int(bits >> 52) & 0x7FF
        let fraction = bits & 0x000F_FFFF_FFFF_FFFF
        let mantissa = exponent == 0 ? fraction : fraction | 1 << 52
        let position = max(exponent, 1) - 1
        let shift = UInt64(position & 63)
        let low = mantissa << shift
        let high = shift == 0 ? 0 : mantissa >> (64 - shift)
        var limb = position >> 6
        if value.sign == .plus {
            var carry = add(low, to: &sum[limb], carry: 0)
            carry = add(high, to: &sum[limb + 1], carry: carry)
            limb += 2
            while carry != 0, limb < ExactSumPool.limbCount {
                carry = add(0, to: &sum[limb], carry: carry)
                limb += 1
            }
        } else {
            var borrow = subtract(low, from: &sum[limb], borrow: 0)
            borrow = subtract(high, from: &sum[limb + 1], borrow: borrow)
            limb += 2
            while borrow != 0, limb < ExactSumPool.limbCount {
                borrow = subtract(0, from: &sum[limb], borrow: borrow)
                limb += 1
            }
        }
    }

    /// Adds another sum.
    static func add(_ other: UnsafePointer<UInt64>, to sum: UnsafeMutablePointer<UInt64>) {
        var carry: UInt64 = 0
        for limb in 0..<ExactSumPool.limbCount { carry = add(other[limb], to: &sum[limb], carry: carry) }
    }

    /// The sum, rounded once to the nearest double, ties to even; beyond the largest double infinity.
    static func rounded(_ sum: UnsafePointer<UInt64>) -> Double {
        let isNegative = sum[ExactSumPool.limbCount - 1] >> 63 == 1
        return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: ExactSumPool.limbCount) { magnitude in
            var carry: UInt64 = isNegative ? 1 : 0
            for limb in 0..<ExactSumPool.limbCount {
                let (value, overflow) = (isNegative ? ~sum[limb] : sum[limb]).addingReportingOverflow(carry)
                magnitude[limb] = value
                carry = overflow ? 1 : 0
            }
            let result = Double(bitPattern: roundedPattern(magnitude))
            return isNegative ? -result : result
        }
    }

    private static func roundedPattern(_ magnitude: UnsafeMutableBufferPointer<UInt64>) -> UInt64 {
        guard let top = magnitude.lastIndex(where: { $0 != 0 }) else { return 0 }
        let highest = top * 64 + 63 - magnitude[top].leadingZeroBitCount
        // An integer below 2^53 in units of the smallest double is its own bit pattern.
        if highest < 53 { return magnitude[0] }
        let shift = highest - 52
        func bit(_ index: Int) -> UInt64 { magnitude[index >> 6] >> UInt64(index & 63) & 1 }
        let (limb, offset) = (shift >> 6, UInt64(shift & 63))
        var mantissa = magnitude[limb] >> offset
        if offset > 11 { mantissa |= magnitude[limb + 1] << (64 - offset) }
        mantissa &= (1 << 53) - 1
        if bit(shift - 1) == 1 {
            let (stickyLimb, stickyBit) = ((shift - 1) >> 6, UInt64((shift - 1) & 63))
            let isSticky =
                magnitude[stickyLimb] & ((1 << stickyBit) - 1) != 0 || magnitude[..<stickyLimb].contains { $0 != 0 }
            if isSticky || mantissa & 1 == 1 { mantissa += 1 }
        }
        let pattern = UInt64(shift) << 52 + mantissa
        return min(pattern, Double.infinity.bitPattern)
    }

    private static func add(_ value: UInt64, to limb: inout UInt64, carry: UInt64) -> UInt64 {
        let (first, overflow1) = limb.addingReportingOverflow(value)
        let (second, overflow2) = first.addingReportingOverflow(carry)
        limb = second
        return overflow1 || overflow2 ? 1 : 0
    }

    private static func subtract(_ value: UInt64, from limb: inout UInt64, borrow: UInt64) -> UInt64 {
        let (first, overflow1) = limb.subtractingReportingOverflow(value)
        let (second, overflow2) = first.subtractingReportingOverflow(borrow)
        limb = second
        return overflow1 || overflow2 ? 1 : 0
    }
}
