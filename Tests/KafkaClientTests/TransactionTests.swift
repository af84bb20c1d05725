import CRdKafka
import Diagnostics
import Foundation
import KafkaClient
import Testing

/// The three kinds of errors of a transaction, as librdkafka's mock cluster can give them.
@Suite("Transactions on librdkafka's mock cluster", .serialized)
struct TransactionTests {
    private func producer(_ mock: MockCluster) throws -> KafkaTransactionalProducer {
        try mock.connect().makeTransactionalProducer(id: "t", timeoutMilliseconds: 10_000)
    }

    private func send(_ value: String, _ producer: KafkaTransactionalProducer, tag: Int = 1) -> Bool {
        Array(value.utf8).withUnsafeBytes { producer.send(key: $0, value: $0, to: "t", tag: tag) }
    }

    private func fault(_ producer: KafkaTransactionalProducer) -> KafkaTransactionFault? {
        do throws(KafkaTransactionFault) {
            try producer.commit()
            return nil
        } catch {
            return error
        }
    }

    @Test("what may pass passes: a coordinator that is not there yet, at every step")
    func retriable() throws {
        let mock = try MockCluster()
        let away = [RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR]
        let producer = try producer(mock)
        mock.fail(.initProducerID, away)
        try producer.start()
        mock.fail(.addPartitions, away)
        mock.fail(.endTransaction, away)
        #expect(send("1", producer))
        let end = Date(timeIntervalSinceNow: 30)
        var outcome = fault(producer)
        while case .undecided(let error)? = outcome, Date() < end {
            #expect(error.retry == .backoff && producer.isUndecided)
            outcome = fault(producer)
        }
        #expect(outcome == nil)
        #expect(try producer.endOffset(KafkaPartition(topic: "t", number: 0)) >= 1)
    }

    @Test("a batch that is refused aborts the transaction, and the next one is a new one")
    func aborted() throws {
        let mock = try MockCluster()
        let producer = try producer(mock)
        try producer.start()
        mock.fail(.produce, [RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE])
        #expect(send("1", producer, tag: 7))
        guard case .aborted(_, let tooLarge)? = fault(producer) else {
            Issue.record("the transaction was not aborted")
            return
        }
        #expect(tooLarge == [7])
        // librdkafka 2.0.2 goes on with the sequence, which the broker may find broken once.
        #expect(send("1", producer))
        if case .aborted? = fault(producer) { #expect(send("1", producer)) }
        #expect(fault(producer) == nil)
        mock.fail(.produce, [RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED])
        #expect(send("1", producer))
        guard case .aborted(let error, _)? = fault(producer) else {
            Issue.record("the transaction was not aborted")
            return
        }
        #expect(error.code == .kafkaAuthorization && error.retry == .never, "\(error)")
    }

    @Test("a producer that was fenced is lost", arguments: [0, 1])
    func fenced(_ step: Int) throws {
        let mock = try MockCluster()
        let producer = try producer(mock)
        try producer.start()
        mock.fail(step == 0 ? .endTransaction : .addPartitions, [RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH])
        #expect(send("1", producer))
        for _ in 0..<2 {
            guard case .lost(let error)? = fault(producer) else {
                Issue.record("the producer was not lost")
                return
            }
            #expect(error.code == .kafkaProducerLost, "\(error)")
        }
        #expect(send("2", producer))
    }
}
