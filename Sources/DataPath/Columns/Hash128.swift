/// A 128-bit hash of a value.
public struct Hash128: Hashable, Sendable, BitwiseCopyable {
    public var low: UInt64
    public var high: UInt64

    @inlinable
    public init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }
}

/// The secret key of a keyed hash. Public input reaches our hash tables, so each pipeline draws its own key and keeps it
/// with its state.
public struct HashKey: Hashable, Sendable, BitwiseCopyable {
    public var k0: UInt64
    public var k1: UInt64

    public init(k0: UInt64, k1: UInt64) {
        self.k0 = k0
        self.k1 = k1
    }

    public static func random() -> HashKey {
        HashKey(k0: .random(in: 0 ... .max), k1: .random(in: 0 ... .max))
    }
}
