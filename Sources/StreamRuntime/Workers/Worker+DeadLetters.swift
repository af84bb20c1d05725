internal import DataPath
internal import Diagnostics
internal import PlatformModel
internal import PluginAPI
internal import Synchronization

/// What becomes of records that cannot be used. Nothing here runs on a batch without any but one look at its times.
extension Worker {
    /// A record that could not be decoded: a dead letter, unless an earlier run has sent it.
    func report(_ fault: RecordDecoder.Fault, _ partition: PartitionState) {
        refused.append(fault.entry)
        let entry = block.entries[fault.entry]
        if partition.reported.covers(
            fault, offset: replay?.offset ?? entry.offset, current: decodedColumns[partition.input])
        {
            guard !partition.hasSaidReported else { return }
            partition.hasSaidReported = true
            return shared.notify(
                "\(partition.partition.topic), partition \(partition.partition.partition): records before offset "
                    + "\(partition.reported.nextOffset) that cannot be used are dead letters of an earlier run and are "
                    + "not sent again")
        }
        shared.status.badRecords.add(1, ordering: .relaxed)
        deadLetters.add(
            entry, of: block, partition: partition.partition,
            .init(
                code: fault.code, message: fault.reason, field: fault.field,
                place: shared.topology.inputs[partition.input].eventType.location))
    }

    /// The rows with a time that a window can hold and that is not too far ahead of when the broker took the record, or of
    /// now where that is not known; nil when that is all of them. The others become dead letters and move no clock.
    func rowsInTime(_ times: FixedVector<Int64>, _ partition: PartitionState, _ range: Range<Int>) -> Selection? {
        let now = shared.host.clock.wallMilliseconds
        func latest(_ entry: RecordBlock.Entry) -> Int64 {
            let arrival = entry.appendTime == RecordBlock.Entry.unknownAppendTime ? now : entry.appendTime
            let (latest, overflow) = arrival.addingReportingOverflow(shared.settings.maxFutureSkewMilliseconds)
            return overflow ? WindowCalendar.timeLimit : min(latest, WindowCalendar.timeLimit)
        }
        var limit = Int64.max
        for index in range { limit = min(limit, latest(block.entries[index])) }
        let values = times.values
        var highest = Int64.min
        var lowest = Int64.max
        for row in 0..<times.count {
            highest = max(highest, values[row])
            lowest = min(lowest, values[row])
        }
        guard highest > limit || lowest < -WindowCalendar.timeLimit else { return nil }
        inTime.reserve(times.count)
        inTime.removeAll()
        let rows = entryOfRow(range)
        for row in 0..<times.count {
            if values[row] >= -WindowCalendar.timeLimit, values[row] <= latest(block.entries[rows[row]]) {
                inTime.rows[inTime.count] = Int32(row)
                inTime.count += 1
            } else {
                report(
                    values[row].magnitude > WindowCalendar.timeLimit.magnitude
                        ? RecordDecoder.Fault(
                            entry: rows[row], code: .untimedEvent,
                            reason: "the event's time is so far from 1970 that it belongs to no window",
                            field: "timestamp")
                        : RecordDecoder.Fault(
                            entry: rows[row], code: .futureEvent,
                            reason: "the event's time is more than runtime.max_future_skew ahead of its arrival",
                            field: "timestamp"),
                    partition)
            }
        }
        return inTime
    }

    /// The rows that an aggregation refused: each is one dead letter of it.
    func reportFailedRows(of aggregation: Aggregation, _ partition: PartitionState, _ range: Range<Int>) {
        let rows = entryOfRow(range)
        rowsWithLetter.formUnion(failedRows)
        for row in failedRows {
            deadLetters.add(
                block.entries[rows[Int(row)]], of: block, partition: partition.partition,
                .init(
                    stage: .step, code: .expressionFailed,
                    message: "aggregation '\(aggregation.name)': a filter's arithmetic overflows on this record",
                    place: aggregation.location, aggregation: aggregation.name))
        }
    }

    /// The block's entry of each row of the batch: the entries without those that were not decoded.
    func entryOfRow(_ range: Range<Int>) -> [Int] {
        let bad = Set(faults.map(\.entry))
        return range.filter { !bad.contains($0) }
    }
}
