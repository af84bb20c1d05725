/// What a seed chooses before anything runs.
struct Plan {
    let salePartitions: Int
    let clickPartitions: Int
    let events: Int
    /// Milliseconds that events come out of order within a partition.
    let disorder: Int
    /// Of 100 events, those that come very late.
    let stragglers: Int
    /// All events are there from the beginning; else they come while runs go on.
    let isPrefilled: Bool
    let kills: Int
    /// Runs that are paused, replaced and go on.
    let zombies: Int
    let readerTroublePercent: Int

    init(_ chance: Chance) {
        salePartitions = chance.within(1...3)
        clickPartitions = chance.within(1...2)
        events = chance.within(30...200)
        disorder = chance.of([0, 1500, 4000, 9000])
        stragglers = chance.of([0, 0, 3, 10])
        isPrefilled = chance.happens(40)
        kills = chance.within(0...6)
        zombies = chance.happens(25) ? chance.within(1...2) : 0
        readerTroublePercent = chance.of([0, 5, 20])
    }

    /// A file has no epoch: two machines that append to it are outside of what it promises.
    var hasArchive: Bool { zombies == 0 }
}
