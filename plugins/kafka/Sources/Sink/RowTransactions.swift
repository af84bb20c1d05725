import DataPath
import Diagnostics
import KafkaClient
import PluginAPI

/// Writes a domain's rows, a transaction at a time. Threads: one.
///
/// Rows are kept until the transaction that holds them is known to be committed: one that had to be aborted is sent again,
/// and after a fault that ended the producer the control topic says whether the last transaction came through.
final class RowTransactions {
    private let cluster: KafkaCluster
    private let readers: KafkaReaders
    private let options: KafkaSinkOptions
    let control: ControlTopic
    /// The run's right to write; nil before a claim.
    var fence: Fence?
    private var producer: KafkaTransactionalProducer?
    /// Why the producer was lost.
    private var loss: PipelineError?
    var pending = PendingRows()
    /// Records that were handed over in the present transaction.
    private var sent = 0
    /// The number of the last transaction that was begun.
    private var transaction = 0
    /// The most bytes of a batch of a topic that refused a larger one.
    var pieces: [String: Int] = [:]
    private(set) var refused: [RefusedBatch] = []

    /// A transaction is committed when it holds more than this, even without a flush. The count is below what librdkafka's
    /// queue takes without waiting.
    private static let byteLimit = 8 << 20
    private static let countLimit = 50_000
    /// Greater than the tags of rows.
    static let controlTag = Int.max
    /// How often a transaction is sent again at once.
    private static let attempts = 40

    /// Who may write, as the claim left it in the control topic.
    struct Fence {
        var claim: WriterClaim
        var epoch: UInt64

        func check(_ state: ControlState) throws {
            guard let writer = state.writer, writer.epoch == epoch, writer.writer == claim.writer else {
                throw claim.replaced(own: epoch, by: state.writer?.epoch, component: "sink kafka")
            }
        }

        func record(transaction: Int) -> ControlState.Writer {
            ControlState.Writer(
                epoch: epoch, writer: claim.writer, environment: claim.environment, transaction: transaction)
        }
    }

    init(_ cluster: KafkaCluster, _ readers: KafkaReaders, _ options: KafkaSinkOptions, _ control: ControlTopic) {
        self.cluster = cluster
        self.readers = readers
        self.options = options
        self.control = control
    }

    // MARK: Rows

    var isFull: Bool { pending.byteCount >= Self.byteLimit || pending.count >= Self.countLimit }
    var hasRows: Bool { !pending.isEmpty }

    /// Takes rows, and begins to send them. Whatever goes wrong shows when the transaction is completed.
    func add(_ rows: RecordBatch, _ block: RecordBlock, rowOf: [Int32], to topic: String, _ table: TableDefinition) {
        pending.append(rows, block, rowOf: rowOf, topic: topic, table: table)
        if let producer { send(by: producer) }
    }

    func takeRefused() -> [RefusedBatch] {
        defer { refused = [] }
        return refused
    }

    // MARK: Transactions

    /// Begins with a new producer: no older one with this domain's id can write from now on.
    func start() throws {
        producer?.close()
        producer = nil
        sent = 0
        let producer = try cluster.makeTransactionalProducer(
            id: options.isTransactional ? control.name : nil,
            timeoutMilliseconds: options.transactionTimeoutMilliseconds)
        try producer.start()
        self.producer = producer
        loss = nil
    }

    /// Brings what an earlier call left open to its end.
    func settle() throws {
        if let loss { try recover(loss) }
        if producer == nil { try start() }
        while let producer, producer.isUndecided { _ = try finish(producer) }
    }

    /// Commits the rows, and with them the mark of a checkpoint.
    func complete(_ mark: CheckpointMark? = nil) throws {
        try settle()
        guard hasRows || mark != nil else { return }
        let checkpoint = mark.map { ControlState.record($0.number, positions: $0.positions) }
        guard options.isTransactional else {
            // The mark speaks of rows that are there.
            try complete(records: [])
            if let checkpoint { try complete(records: [checkpoint]) }
            return
        }
        try complete(records: checkpoint.map { [$0] } ?? [])
    }

    /// Commits records of the control topic, with the rows if there are any.
    func complete(records: [ControlState.Record]) throws {
        for _ in 0..<Self.attempts {
            try settle()
            guard let producer else { break }
            transaction += 1
            send(by: producer)
            if options.isTransactional, let fence {
                try send(ControlState.record(fence.record(transaction: transaction)), by: producer)
            }
            for record in records { try send(record, by: producer) }
            if try finish(producer) { return }
        }
        throw PipelineError(
            .kafkaProducerLost, "transactions of \(control.name) were begun \(Self.attempts) times and did not end",
            hint: "does another run write this domain's topics?", component: "sink kafka", retry: .backoff)
    }

    func endOffset(_ partition: KafkaPartition) throws -> Int64 {
        if producer == nil { try start() }
        return try producer?.endOffset(partition) ?? 0
    }

    func close() {
        producer?.close()
        producer = nil
    }

    private func send(by producer: KafkaTransactionalProducer) {
        var large: [(tag: Int, byteCount: Int)] = []
        var pieceBytes: [String: Int] = [:]
        pending.forEach(from: sent) { tag, record in
            if let limit = pieces[record.topic] {
                let bytes = pieceBytes[record.topic, default: 0] + record.byteCount
                if bytes > limit { producer.flush() }
                pieceBytes[record.topic] = bytes > limit ? record.byteCount : bytes
            }
            if !producer.send(key: record.key, value: record.value, to: record.topic, tag: tag) {
                large.append((tag, record.byteCount))
            }
        }
        sent = pending.count
        for (tag, byteCount) in large {
            pending.refuse(
                tag, "its record of \(byteCount) bytes is larger than message.max.bytes of the option client allows")
        }
    }

    private func send(_ record: ControlState.Record, by producer: KafkaTransactionalProducer) throws {
        var (key, value) = (record.key, record.value)
        let isTaken = key.withUTF8 { key in
            value.withUTF8 { value in
                producer.send(
                    key: UnsafeRawBufferPointer(key), value: UnsafeRawBufferPointer(value), to: control.name,
                    tag: Self.controlTag)
            }
        }
        if !isTaken { throw tooLargeForControl }
    }

    var tooLargeForControl: PipelineError {
        PipelineError(
            .kafkaRecordTooLarge, "a record of topic \(control.name) is larger than Kafka is set to take",
            hint: "raise message.max.bytes in the option client, and max.message.bytes of the topic",
            component: "sink kafka")
    }

    /// Ends the transaction: true when it is committed, false when its records are to be sent again at once.
    private func finish(_ producer: KafkaTransactionalProducer) throws -> Bool {
        do throws(KafkaTransactionFault) {
            try producer.commit()
        } catch {
            switch error {
            case .undecided(let error): throw error
            case .aborted(let error, let tooLarge):
                sent = 0
                if !tooLarge.isEmpty {
                    try separate(tooLarge, by: producer)
                } else if error.code != .kafkaProducerLost || error.retry == .never {
                    throw error
                }
                // The sequence of records is broken where a batch was refused: it begins anew with the next transaction.
                return false
            case .notWritten(let error, let tags, let tooLarge):
                sent = 0
                pending.keep(only: Set(tags))
                guard !tooLarge.isEmpty else { throw error }
                try sendSingly(tooLarge, by: producer)
                return false
            case .lost(let error):
                try recover(error)
                return isResolved
            }
        }
        committed()
        return true
    }

    /// Set by ``recover(_:)``: the transaction in doubt had come through.
    private var isResolved = false

    private func committed() {
        refused += pending.refused
        pending = PendingRows()
        sent = 0
    }

    /// Goes on with a new producer, if the run still is the one that may write.
    func recover(_ error: PipelineError) throws {
        loss = error
        producer?.close()
        producer = nil
        isResolved = false
        guard options.isTransactional, let fence else {
            // Nothing says what is there and what is not: a next run finds out.
            var error = error
            error.retry = .never
            throw error
        }
        // Before the new producer: a run that was replaced does not disturb its successor.
        try fence.check(try control.read(by: readers))
        try start()
        loss = error
        let state = try control.read(by: readers)
        try fence.check(state)
        loss = nil
        if state.writer?.transaction == transaction {
            isResolved = true
            committed()
        }
    }
}
