internal import DataPath
internal import Diagnostics
internal import Foundation
internal import Logging
internal import PlatformModel
internal import PluginAPI
internal import Synchronization

/// A member's connection to the control log: reads it, speaks in it, and says several times a second that it is alive.
///
/// Order of calls: `init` → ``start()`` → any of the others → ``leave()``. Threads: one, beside its own.
final class ClusterSession {
    let member: String
    let topic: String
    let settings: ClusterSettings
    private(set) var view: ClusterView
    private let broker: any Broker
    private let host: RunHost
    private let partition: TopicPartition
    private var reader: (any PartitionReader)?
    private var producer: (any BrokerProducer)?
    private let block = RecordBlock(byteCapacity: 1 << 16)
    private let speech: Speech
    private var heartbeat: RunThread?
    /// Offsets below were written before this member began to read.
    private let beginning: Int64
    private var lastPoll = Int64.min / 2
    private var hasFailed = false

    /// What the thread of heartbeats says.
    private final class Speech: Sendable {
        let sign: Mutex<MemberSign>
        let isOver = Atomic<Bool>(false)
        init(_ sign: MemberSign) { self.sign = Mutex(sign) }
    }

    /// Records of the log's end that a newcomer reads. The beginning of the present round may lie before them: those who
    /// are in it say so (``MemberSign/round``).
    private static let lookback: Int64 = 20_000

    init(
        topic: String, settings: ClusterSettings, workers: Int, configuration: String, broker: any Broker, host: RunHost
    ) throws {
        self.topic = topic
        self.settings = settings
        self.broker = broker
        self.host = host
        let digits = String(host.random(), radix: 16)
        member = String(repeating: "0", count: 16 - digits.count) + digits
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let hostName = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        speech = Speech(
            MemberSign(
                member: member, name: "\(getpid())@\(hostName)", workers: workers, configuration: configuration))
        view = ClusterView(timeoutMilliseconds: settings.sessionTimeoutMilliseconds, now: host.clock.milliseconds)
        partition = TopicPartition(topic: topic, partition: ClusterTopic.controlPartition)
        let (earliest, next) = try broker.offsets(partition)
        beginning = next
        reader = try broker.makeReader(partition, at: max(earliest, next - Self.lookback))
    }

    var sign: MemberSign { speech.sign.withLock { $0 } }
    func updateSign(_ change: (inout MemberSign) -> Void) { speech.sign.withLock { change(&$0) } }

    /// How often a member says that it is alive.
    var heartbeatMilliseconds: Int { Int(min(max(settings.sessionTimeoutMilliseconds / 20, 20), 500)) }

    /// Begins to say that the member is alive.
    func start() {
        let (broker, partition, speech, host) = (broker, partition, speech, host)
        let pause = heartbeatMilliseconds
        heartbeat = RunThread(name: "cluster", confining: ()) { _ in
            var producer: (any BrokerProducer)?
            while !speech.isOver.load(ordering: .acquiring) {
                do {
                    let open = try producer ?? broker.makeProducer()
                    producer = open
                    try Self.send(.alive(speech.sign.withLock { $0 }), to: partition, open, host)
                } catch {
                    // Said again soon; whoever is silent for too long is taken to be dead.
                    producer = nil
                    host.logger.debug("no heartbeat: \(error)")
                }
                host.clock.sleep(milliseconds: pause)
            }
        }
    }

    // MARK: Speaking.

    /// Sends, and again while the broker is away, for as long as a member may be silent.
    func send(_ message: ClusterMessage) throws {
        let limit = host.clock.milliseconds + settings.sessionTimeoutMilliseconds
        while true {
            do {
                return try attempt(message)
            } catch let error as PipelineError where error.retry == .backoff && host.clock.milliseconds < limit {
                host.clock.sleep(milliseconds: 100)
            }
        }
    }

    private func attempt(_ message: ClusterMessage) throws {
        do {
            let open = try producer ?? broker.makeProducer()
            producer = open
            try Self.send(message, to: partition, open, host)
        } catch {
            producer = nil
            throw error
        }
    }

    /// As ``send(_:)``, for a message that others can do without.
    func sendIfPossible(_ message: ClusterMessage) {
        do { try attempt(message) } catch { host.logger.warning("the cluster was not told: \(error)") }
    }

    private static func send(
        _ message: ClusterMessage, to partition: TopicPartition, _ producer: any BrokerProducer, _ host: RunHost
    ) throws {
        let block = RecordBlock(byteCapacity: 1024)
        try message.encoded().withUnsafeBytes {
            block.append(key: nil, value: $0, timestamp: host.clock.wallMilliseconds)
        }
        try producer.send(block, to: partition)
        try producer.flush()
    }

    // MARK: Hearing.

    /// Leaves a member out of the rounds that this one begins.
    func exclude(_ member: String) { view.exclude(member) }

    /// Reads what has come and gives each message to `take`, after the view has taken it; does nothing when it has read a moment
    /// ago. A broker that is away is asked again by the next call.
    func poll(every milliseconds: Int64 = 10, _ take: (ClusterMessage) throws -> Void) throws {
        let now = host.clock.milliseconds
        guard now - lastPoll >= milliseconds else { return }
        lastPoll = now
        while try hasFetched() {
            for entry in block.entries {
                guard let message = block.value(entry).flatMap({ ClusterMessage(decoding: $0) }) else { continue }
                if case .alive(let sign) = message, view.members[sign.member] == nil, sign.member != member,
                    entry.offset >= beginning
                {
                    // A newcomer learns at once who is there.
                    sendIfPossible(.alive(self.sign))
                }
                view.take(message, offset: entry.offset, now: now, isOld: entry.offset < beginning)
                try take(message)
            }
        }
    }

    private func hasFetched() throws -> Bool {
        do {
            guard let reader else { return false }
            let result = try reader.fetch(into: block, maxBytes: 1 << 18)
            hasFailed = false
            if case .records = result { return true }
            return false
        } catch let error as OffsetOutOfRangeError {
            reader = try broker.makeReader(partition, at: error.earliest)
            return false
        } catch let error as PipelineError where error.retry == .backoff {
            if !hasFailed { host.logger.warning("the cluster's topic cannot be read; trying again: \(error)") }
            hasFailed = true
            return false
        }
    }

    // MARK: Ending.

    /// Says good-bye.
    func leave() {
        endHeartbeat()
        sendIfPossible(.leave(member: member))
        (reader, producer) = (nil, nil)
    }

    private func endHeartbeat() {
        speech.isOver.store(true, ordering: .releasing)
        // It sleeps for less than that.
        if let heartbeat { _ = heartbeat.join(milliseconds: heartbeatMilliseconds + 2000) }
        heartbeat = nil
    }
}
