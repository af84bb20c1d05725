/// A row of the test stream.
struct TestRow {
    var partition: Int
    var time: Int64
    var country: String?
    var shop: Int64?
    var amount: Double?
    var units: Int64?
    var user: String?

    var group: String { "\(country ?? "null")|\(shop.map(String.init) ?? "null")" }
}

/// A small seeded generator (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Python's `math.fsum` (Shewchuk's expansion), for finite sums that do not overflow on the way.
func referenceSum(_ values: [Double]) -> Double {
    var partials: [Double] = []
    for value in values {
        var x = value
        var kept = 0
        for index in partials.indices {
            var y = partials[index]
            if abs(x) < abs(y) { swap(&x, &y) }
            let high = x + y
            let low = y - (high - x)
            if low != 0 {
                partials[kept] = low
                kept += 1
            }
            x = high
        }
        partials.removeSubrange(kept...)
        partials.append(x)
    }
    guard var n = Optional(partials.count - 1), n >= 0 else { return 0 }
    var high = partials[n]
    var low = 0.0
    while n > 0 {
        let x = high
        n -= 1
        let y = partials[n]
        high = x + y
        low = y - (high - x)
        if low != 0 { break }
    }
    if n > 0, (low < 0 && partials[n - 1] < 0) || (low > 0 && partials[n - 1] > 0) {
        let y = low * 2
        let x = high + y
        if y == x - high { high = x }
    }
    return high
}
