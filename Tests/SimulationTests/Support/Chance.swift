/// Random numbers that follow from a seed (SplitMix64). Threads: one.
final class Chance {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    func bits() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    func below(_ limit: Int) -> Int { Int(bits() % UInt64(limit)) }
    func within(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }
    /// True in `percent` of 100 cases.
    func happens(_ percent: Int) -> Bool { below(100) < percent }
    func of<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}
