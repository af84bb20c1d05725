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
    /// The broker has taken no message, and none has come since. Those of the heartbeats come when it is back.
    private var isCutOff = false

    /// What the thread of heartbeats says.
    private final class Speech: Sendable {
        let said: Mutex<MemberSign>
        let isOver = Atomic<Bool>(false)
        private let isLeaving: @Sendable () -> Bool

        init(_ sign: MemberSign, isLeaving: @escaping @Sendable () -> Bool) {
            said = Mutex(sign)
            self.isLeaving = isLeaving
        }

        var sign: MemberSign {
            var sign = said.withLock { $0 }
            sign.isLeaving = isLeaving()
            return sign
        }
    }

    /// Records of the log's end that a newcomer reads. The beginning of the present round may lie before them: those who
    /// are in it say so (``MemberSign/round``).
    private static let lookback: Int64 = 20_000

    /// What others can do without is waited for no longer than that.
    private static let patienceMilliseconds: Int64 = 2000

    /// - Parameter isLeaving: Whether the process is told to end: others are to know, whatever it is doing then. Any thread.
    init(
        topic: String, settings: ClusterSettings, workers: Int, configuration: String, broker: any Broker,
        host: RunHost, isLeaving: @escaping @Sendable () -> Bool
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
                member: member, name: "\(getpid())@\(hostName)", workers: workers, configuration: configuration),
            isLeaving: isLeaving)
        view = ClusterView(timeoutMilliseconds: settings.sessionTimeoutMilliseconds, now: host.clock.milliseconds)
        partition = TopicPartition(topic: topic, partition: ClusterTopic.controlPartition)
        let (earliest, next) = try broker.offsets(partition)
        beginning = next
        reader = try broker.makeReader(partition, at: max(earliest, next - Self.lookback))
    }

    var sign: MemberSign { speech.sign }
    func updateSign(_ change: (inout MemberSign) -> Void) { speech.said.withLock { change(&$0) } }

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
                    let open = try producer ?? broker.makeTransientProducer()
                    producer = open
                    try Self.hand(.alive(speech.sign), to: partition, open, host)
                    while try !open.flush(milliseconds: 100), !speech.isOver.load(ordering: .acquiring) {}
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

    /// Sends, and again while the broker is away, for as long as a member may be silent. Throws ``RoundOver`` when the broker
    /// has not taken it by then.
    func send(_ message: ClusterMessage) throws {
        let limit = host.clock.milliseconds + settings.sessionTimeoutMilliseconds
        while true {
            do {
                return try attempt(message, until: limit)
            } catch let error as PipelineError where error.retry == .backoff && host.clock.milliseconds < limit {
                host.clock.sleep(milliseconds: 100)
            }
        }
    }

    private func attempt(_ message: ClusterMessage, until limit: Int64) throws {
        do {
            let open = try producer ?? broker.makeTransientProducer()
            producer = open
            try Self.hand(message, to: partition, open, host)
            while try !open.flush(milliseconds: 50) {
                guard host.clock.milliseconds < limit else { throw RoundOver("the broker takes no messages") }
            }
            isCutOff = false
        } catch {
            // One that has given up a record may never send again; and what it still has is of a round that is lost.
            producer = nil
            isCutOff = true
            throw error
        }
    }

    /// As ``send(_:)``, for a message that others can do without. While the broker is known to be away it is not tried: that
    /// would hold up the end of the process.
    func sendIfPossible(_ message: ClusterMessage) {
        guard !isCutOff else { return }
        let limit = host.clock.milliseconds + min(settings.sessionTimeoutMilliseconds, Self.patienceMilliseconds)
        do { try attempt(message, until: limit) } catch {
            host.logger.warning("the cluster was not told: \(error)")
        }
    }

    /// Says that a round is over, unless all know.
    func abandon(_ round: Int64, _ reason: String) {
        guard view.round?.number == round, view.round?.isOver == false else { return }
        sendIfPossible(.abandon(round: round, member: member, reason: reason))
    }

    /// The member's part of a round has failed. Said at once: until its threads have ended, the others would wait for it.
    func giveUp(_ round: Int64, _ failure: any Error) {
        abandon(round, (failure as? PipelineError)?.message ?? "\(failure)")
    }

    /// The member's threads of a round that is over do not end: nobody is to begin one with it before they have.
    func noteSlowEnd(afterMilliseconds: Int64) {
        guard afterMilliseconds > Self.patienceMilliseconds, !sign.isHeldUp else { return }
        updateSign { $0.isHeldUp = true }
        host.logger.warning(
            "a call of a round that is over does not come back: the cluster goes on without this process")
    }

    private static func hand(
        _ message: ClusterMessage, to partition: TopicPartition, _ producer: any BrokerProducer, _ host: RunHost
    ) throws {
        let block = RecordBlock(byteCapacity: 1024)
        try message.encoded().withUnsafeBytes {
            block.append(key: nil, value: $0, timestamp: host.clock.wallMilliseconds)
        }
        try producer.send(block, to: partition)
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
            // What was fetched does not come again: the view takes all of it, whatever `take` says of a part.
            var failure: (any Error)?
            for entry in block.entries {
                guard let message = block.value(entry).flatMap({ ClusterMessage(decoding: $0) }) else { continue }
                if case .alive(let sign) = message, view.members[sign.member] == nil, sign.member != member,
                    entry.offset >= beginning
                {
                    // A newcomer learns at once who is there.
                    sendIfPossible(.alive(self.sign))
                }
                view.take(message, offset: entry.offset, now: now, isOld: entry.offset < beginning)
                guard failure == nil else { continue }
                do { try take(message) } catch { failure = error }
            }
            if let failure { throw failure }
        }
    }

    private func hasFetched() throws -> Bool {
        try outlasting {
            guard let reader else { return false }
            do {
                guard case .records = try reader.fetch(into: block, maxBytes: 1 << 18) else { return false }
                isCutOff = false
                return true
            } catch let error as OffsetOutOfRangeError {
                self.reader = try broker.makeReader(partition, at: error.earliest)
                return false
            }
        }
    }

    /// Whether the broker answers a question now. A broker that is away may take its time not to answer.
    func reachesBroker() throws -> Bool {
        try outlasting {
            _ = try broker.offsets(partition)
            return true
        }
    }

    /// False for what may be different when it is asked again; says so once.
    private func outlasting(_ ask: () throws -> Bool) throws -> Bool {
        do {
            let answer = try ask()
            hasFailed = false
            return answer
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
        // Without it the others notice a little later, as they notice a death.
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
