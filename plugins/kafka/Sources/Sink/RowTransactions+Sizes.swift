import KafkaClient

/// Records that are too large for their topics.
extension RowTransactions {
    /// Finds the rows that their topic refuses for their size, after a batch with the given ones was refused: the largest
    /// are tried alone, in transactions that are aborted.
    func separate(_ tags: [Int], by producer: KafkaTransactionalProducer) throws {
        let suspects = Dictionary(grouping: tags.filter { $0 != Self.controlTag && !pending.isOut($0) }) {
            pending[$0].topic
        }
        guard !suspects.isEmpty else { throw tooLargeForControl }
        for (topic, tags) in suspects {
            var rest = tags.map { (tag: $0, byteCount: pending[$0].byteCount) }
                .sorted { ($0.byteCount, $0.tag) > ($1.byteCount, $1.tag) }[...]
            var isFound = false
            while let largest = rest.first, try isTooLarge(largest.tag, by: producer) {
                refuse(largest.tag)
                isFound = true
                rest = rest.dropFirst()
            }
            guard !isFound, let passing = rest.first else { continue }
            // None of them is too large alone: their batch was.
            let limit = pieces[topic] ?? rest.reduce(0) { $0 + $1.byteCount }
            pieces[topic] = max(passing.byteCount, limit / 2)
            guard limit <= passing.byteCount else { continue }
            // What compresses badly may be refused where a larger one is not.
            for suspect in rest.dropFirst() where try isTooLarge(suspect.tag, by: producer) {
                refuse(suspect.tag)
                isFound = true
            }
            if !isFound { throw tooLargeForControl }
        }
    }

    private func isTooLarge(_ tag: Int, by producer: KafkaTransactionalProducer) throws -> Bool {
        let record = pending[tag]
        _ = producer.send(key: record.key, value: record.value, to: record.topic, tag: tag)
        producer.flush()
        do throws(KafkaTransactionFault) {
            return try producer.abort().contains(tag)
        } catch {
            switch error {
            case .undecided(let error), .aborted(let error, _), .notWritten(let error, _, _): throw error
            case .lost(let error):
                try recover(error)
                throw error
            }
        }
    }

    /// Without transactions: the given records, each in a batch of its own; those that are refused again stay out.
    func sendSingly(_ tags: [Int], by producer: KafkaTransactionalProducer) throws {
        for tag in tags {
            guard tag != Self.controlTag else { throw tooLargeForControl }
            let record = pending[tag]
            _ = producer.send(key: record.key, value: record.value, to: record.topic, tag: tag)
            // Decided at the latest when the record's delivery timeout has passed.
            repeat {
                do throws(KafkaTransactionFault) {
                    try producer.commit()
                    pending.setWritten(tag)
                } catch {
                    switch error {
                    case .notWritten(let error, _, let tooLarge):
                        guard tooLarge.contains(tag) else { throw error }
                        refuse(tag)
                    case .undecided: continue
                    case .aborted(let error, _), .lost(let error): throw error
                    }
                }
            } while producer.isUndecided
        }
    }

    private func refuse(_ tag: Int) {
        let record = pending[tag]
        pending.refuse(
            tag, "its record of \(record.byteCount) bytes is larger than topic \(record.topic) takes: max.message.bytes"
        )
    }
}
