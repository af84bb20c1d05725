internal import DataPath
internal import Logging

/// What a run takes from the machine that it is on: time, chance, files, threads. A simulation stands in for all of them
/// (docs/decisions/0006-simulation.md). Threads: any.
struct RunHost: Sendable {
    var clock: any RunClock = MachineClock()
    var files: any CheckpointFiles = MachineFiles()
    /// 64 random bits.
    var random: @Sendable () -> UInt64 = { UInt64.random(in: 0 ... .max) }
    /// Without threads whoever holds a ``Round`` calls its steps, and what would run aside is done at once.
    var hasThreads = true
    /// Elements that a queue between threads holds.
    var queueCapacity = 64
    /// Local groups and distinct values of an aggregation above which a worker hands over even before the flush interval.
    var localEntryLimit = 1 << 13
    /// Parts that the state of a shard may have before it is written whole again.
    var longestChain = 32
    var logger = Logger(label: "runtime")
    /// A fault that a test wants to see found; nil in every run.
    var fault: PlantedFault?

    func hashKey() -> HashKey { HashKey(k0: random(), k1: random()) }
}
