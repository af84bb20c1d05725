import PluginAPI

/// The events of a simulation, as they lie in their partitions.
struct EventHistory {
    struct Event {
        var partition: TopicPartition
        var offset: Int64
        var id: String
        /// Milliseconds since 1970.
        var time: Int64
        var country: String
        var user: String
        var amount: Int64
        /// A message that is no event.
        var isBroken = false

        /// Whether the stream `rich` has it.
        var isRich: Bool { amount > 400 }
        var isSale: Bool { partition.topic == EventHistory.sales }

        var message: String {
            isBroken
                ? "{\"id\":\"\(id)\",\"at\":\(time),"
                : """
                {"id":"\(id)","at":\(time),"user_id":"\(user)","country":"\(country)","amount":\(amount)}
                """
        }
    }

    static let sales = "events.sale"
    static let clicks = "events.click"
    /// 2024-01-01.
    static let begin: Int64 = 1_704_067_200_000

    /// In the order in which they reach the broker; by partition in the order of their offsets.
    private(set) var events: [Event] = []
    let partitions: [TopicPartition]

    init(_ plan: Plan, _ chance: Chance) {
        partitions =
            (0..<plan.salePartitions).map { TopicPartition(topic: Self.sales, partition: $0) }
            + (0..<plan.clickPartitions).map { TopicPartition(topic: Self.clicks, partition: $0) }
        var next = partitions.map { _ in Int64(0) }
        var clocks = partitions.map { _ in Self.begin + Int64(chance.below(6000)) }
        let speeds = partitions.map { _ in chance.of([300, 800, 2000]) }
        func add(_ index: Int, time: Int64, isBroken: Bool = false) {
            events.append(
                Event(
                    partition: partitions[index], offset: next[index], id: "e\(events.count)", time: time,
                    country: chance.of(["DE", "FR", "IT"]), user: "u\(chance.below(7))",
                    amount: Int64(chance.within(-50...1000)), isBroken: isBroken))
            next[index] += 1
        }
        for _ in 0..<plan.events {
            let index = chance.below(partitions.count)
            clocks[index] += Int64(chance.below(speeds[index] * 2))
            if chance.happens(2) { clocks[index] += Int64(chance.below(20_000)) }
            var time = clocks[index] - Int64(chance.below(plan.disorder + 1))
            if chance.happens(plan.stragglers) { time -= Int64(chance.below(40_000)) }
            add(index, time: time, isBroken: chance.happens(2))
        }
        // One event far ahead in every partition closes what came before.
        let end = (clocks.max() ?? Self.begin) + 600_000
        for index in partitions.indices { add(index, time: end) }
    }
}
