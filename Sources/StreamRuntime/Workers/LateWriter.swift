internal import DataPath
internal import Diagnostics
internal import PlatformModel
internal import PluginAPI
internal import Synchronization

/// Sends records that came too late to the topic of late records, for aggregations that ask for it. Threads: one.
final class LateWriter {
    private let writer: TopicWriter
    private let status: PipelineStatus

    init(topic: String, broker: any Broker, status: PipelineStatus, retrying: Retrying) {
        writer = TopicWriter(topic: topic, broker: broker, retrying: retrying)
        self.status = status
    }

    /// The late record that stands for one of `source`.
    static func record(
        _ entry: RecordBlock.Entry, of source: RecordBlock, partition: TopicPartition, _ aggregation: Aggregation,
        at wallMilliseconds: Int64
    ) -> LateRecord {
        LateRecord(
            key: source.key(entry).map(Array.init), value: source.value(entry).map(Array.init),
            headers: source.headers(entry).map { DeadLetter.Header($0.name, $0.value) }, partition: partition,
            offset: entry.offset, aggregation: aggregation.name,
            reason: aggregation.spec.window.kind == .session
                ? "every session that it could belong to was closed" : "every window that holds it was closed",
            timeMilliseconds: wallMilliseconds, configPlace: aggregation.location.text)
    }

    func add(_ record: LateRecord) {
        record.encode(into: writer.block)
        status.lateRecords.add(1, ordering: .relaxed)
    }

    /// Adds what ``LateRecord/bytes()`` gave.
    func add(_ bytes: [UInt8]) {
        if LateRecord.append(bytes, to: writer.block) { status.lateRecords.add(1, ordering: .relaxed) }
    }

    var isFull: Bool { writer.isFull }

    /// See ``TopicWriter/flush()``.
    func flush() throws { try writer.flush() }

    func close() throws { try writer.close() }

    /// See ``TopicWriter/abandon()``.
    func abandon() { writer.abandon() }
}
