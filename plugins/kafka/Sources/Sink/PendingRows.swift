import DataPath
import Diagnostics
import PluginAPI

/// Rows that were taken and are not known to be in their topics, encoded and as they came.
///
/// Records are numbered from 0 in the order in which they came; a record's tag is its number plus 1.
struct PendingRows {
    private struct Batch {
        var table: TableDefinition
        var topic: String
        var rows: RecordBatch
        /// The records' keys and values.
        var block: RecordBlock
        /// For each record, its row.
        var rowOf: [Int32]
        /// The number of its first record.
        var first: Int
    }

    struct Record {
        var topic: String
        var key: UnsafeRawBufferPointer?
        var value: UnsafeRawBufferPointer

        var byteCount: Int { (key?.count ?? 0) + value.count }
    }

    private var batches: [Batch] = []
    /// By record: it is not to be sent, because it is there or was refused.
    private var isOut: [Bool] = []
    private var reasons: [Int: String] = [:]
    /// Bytes of keys and values.
    private(set) var byteCount = 0

    var count: Int { isOut.count }
    var isEmpty: Bool { batches.isEmpty }

    /// - Parameter rowOf: For each record of the block, its row.
    mutating func append(
        _ rows: RecordBatch, _ block: RecordBlock, rowOf: [Int32], topic: String, table: TableDefinition
    ) {
        batches.append(
            Batch(table: table, topic: topic, rows: rows, block: block, rowOf: rowOf, first: isOut.count))
        isOut += repeatElement(false, count: rowOf.count)
        byteCount += block.byteCount
    }

    /// Gives the records from number `first` on that are to be sent.
    func forEach(from first: Int, _ body: (_ tag: Int, Record) throws -> Void) rethrows {
        guard first < isOut.count else { return }
        for index in batch(of: first)..<batches.count {
            let batch = batches[index]
            for position in max(0, first - batch.first)..<batch.rowOf.count where !isOut[batch.first + position] {
                try body(batch.first + position + 1, record(batch, position))
            }
        }
    }

    /// Of a tag that is not out.
    subscript(tag: Int) -> Record {
        let batch = batches[batch(of: tag - 1)]
        return record(batch, tag - 1 - batch.first)
    }

    func isOut(_ tag: Int) -> Bool { isOut[tag - 1] }

    /// The record is in its topic.
    mutating func setWritten(_ tag: Int) { isOut[tag - 1] = true }

    /// All records besides these are in their topics.
    mutating func keep(only tags: Set<Int>) {
        for number in isOut.indices where !tags.contains(number + 1) { isOut[number] = true }
    }

    /// The record can never be written.
    mutating func refuse(_ tag: Int, _ reason: String) {
        isOut[tag - 1] = true
        reasons[tag - 1] = reason
    }

    /// The rows that were refused, by batch.
    var refused: [RefusedBatch] {
        guard !reasons.isEmpty else { return [] }
        return batches.compactMap { batch in
            let rows = batch.rowOf.indices.compactMap { position in
                reasons[batch.first + position].map {
                    RefusedRows.Row(row: Int(batch.rowOf[position]), column: nil, reason: $0)
                }
            }
            guard !rows.isEmpty else { return nil }
            return RefusedBatch(
                table: batch.table, rows: batch.rows, refused: RefusedRows(code: .kafkaRecordTooLarge, rows: rows))
        }
    }

    private func record(_ batch: Batch, _ position: Int) -> Record {
        let entry = batch.block.entries[position]
        return Record(
            topic: batch.topic, key: batch.block.key(entry),
            value: batch.block.value(entry) ?? UnsafeRawBufferPointer(start: nil, count: 0))
    }

    /// The batch that holds a record.
    private func batch(of number: Int) -> Int {
        var (low, high) = (0, batches.count - 1)
        while low < high {
            let middle = (low + high + 1) / 2
            if batches[middle].first <= number { low = middle } else { high = middle - 1 }
        }
        return low
    }
}
