internal import CRdKafka

/// How much of each partition librdkafka fetches ahead, and when it has to be told that there is room again.
///
/// librdkafka stops fetching while a partition's queue is full. Version 2.0 then looks again after a second only, or when
/// anything happens on the connection: a reader that takes 8 MiB in 50 ms would wait for the rest of each second (its
/// issue 2879). So a reader says whenever it has taken a quarter of what may wait. Versions from 2.2 on have a property
/// for it.
struct KafkaReadAhead {
    private let bytes: Int
    private let records: Int
    private var takenBytes = 0
    private var takenRecords = 0

    /// Properties of the reading handle, where nobody gave others.
    static let properties: [String: String] = {
        // For each partition: every reader has a queue of its own.
        var properties = ["queued.max.messages.kbytes": "8192", "queued.min.messages": "100000"]
        if looksAgainByItself { properties["fetch.queue.backoff.ms"] = "10" }
        return properties
    }()

    private static let looksAgainByItself = rd_kafka_version() >= 0x0202_0000

    /// `properties` are all of the reading handle's.
    init(_ properties: [String: String]) {
        func number(_ name: String) -> Int { properties[name].flatMap { Int($0) } ?? 0 }
        bytes = number("queued.max.messages.kbytes") * 1024 / 4
        records = number("queued.min.messages") / 4
    }

    /// Notes what was taken; true when librdkafka has to be told.
    mutating func take(bytes: Int, records: Int) -> Bool {
        guard !Self.looksAgainByItself else { return false }
        takenBytes += bytes
        takenRecords += records
        guard takenBytes >= self.bytes || takenRecords >= self.records else { return false }
        (takenBytes, takenRecords) = (0, 0)
        return true
    }
}
