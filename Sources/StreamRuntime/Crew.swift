/// The workers of a round: numbered through all processes that share it.
struct Crew: Sendable {
    var total: Int
    /// Those of this process.
    var own: Range<Int>
    /// Workers in the order in which partitions are dealt to them: in turn to each process.
    var readers: [Int]
    /// How workers of different processes reach each other; nil for one process alone.
    var exchange: Exchange.Place?

    static func alone(_ count: Int) -> Crew { Crew(total: count, own: 0..<count, readers: Array(0..<count)) }
}
