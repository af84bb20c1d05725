import Glibc

/// The 64-bit finaliser of SplitMix64: every bit of the result depends on every bit of `value`.
///
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014 (variant 13 of Stafford).
@inline(__always)
func mix64(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
}

/// The increment of SplitMix64: 2^64 divided by the golden ratio, odd.
let goldenGamma: UInt64 = 0x9E37_79B9_7F4A_7C15

/// The seed of the `index`-th stream below `seed`: the output of SplitMix64 at that position, without stepping there.
///
/// Values are drawn from streams that are addressed (by event, session, entity, column), never from a shared one:
/// that is why batch sizes and threads cannot change them.
@inline(__always)
func splitSeed(_ seed: UInt64, _ index: UInt64) -> UInt64 {
    mix64(seed &+ (index &+ 1) &* goldenGamma)
}

/// A number for a name, to separate the streams of columns: FNV-1a with 64 bits, finished by ``mix64(_:)``.
func nameSeed(_ name: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    return mix64(hash)
}

/// A stream of random numbers: wyrand, 64 bits of state, about 1 ns a number.
///
/// Source: Wang Yi, wyhash final version 3 (public domain), whose constants these are. Not for secrets.
struct RandomStream {
    var state: UInt64

    @inline(__always)
    init(_ seed: UInt64) { state = seed }

    @inline(__always)
    mutating func next() -> UInt64 {
        state &+= 0xA076_1D64_78BD_642F
        let product = state.multipliedFullWidth(by: state ^ 0xE703_7ED1_A0B4_28DB)
        return product.high ^ product.low
    }

    /// Uniform in `[0, 1)`, 53 bits.
    @inline(__always)
    mutating func unit() -> Double { unitInterval(next()) }

    /// Uniform in `0..<bound`, by multiplication (Lemire 2019) without his rejection: the bias is below bound / 2^64.
    @inline(__always)
    mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

    /// Mean 1.
    @inline(__always)
    mutating func exponential() -> Double { -log(1 - unit()) }

    /// Mean 0, deviation 1: Marsaglia's polar method (1964), one of its two values.
    mutating func normal() -> Double {
        while true {
            let x = 2 * unit() - 1
            let y = 2 * unit() - 1
            let radius = x * x + y * y
            if radius > 0, radius < 1 { return x * (-2 * log(radius) / radius).squareRoot() }
        }
    }

    /// Failures before the first success: 0, 1, 2, … with mean `mean`.
    mutating func geometric(mean: Double) -> Int {
        guard mean > 0 else { return 0 }
        return Int(min(log(1 - unit()) / log(mean / (1 + mean)), 1_000_000))
    }
}

/// 53 bits of `word` as a number in `[0, 1)`.
@inline(__always)
func unitInterval(_ word: UInt64) -> Double { Double(word >> 11) * 0x1p-53 }
