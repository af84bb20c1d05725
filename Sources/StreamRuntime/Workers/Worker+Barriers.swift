internal import PlatformModel
internal import PluginAPI

/// A worker's part of a barrier: hands everything over, emits what is due, gives positions and state.
extension Worker {
    /// Hands over everything from before the barrier, then the barrier.
    func begin(_ barrier: RunControl.Barrier) throws {
        reachedBarrier = barrier.number
        try flushLetters()
        try flush()
        for target in 0..<shared.settings.workerCount {
            try send(.barrier(worker: index, number: barrier.number, published: shared.watermarks.all), to: target)
        }
        try exchange?.flush()
        phase = .gathering(barrier)
    }

    /// Everything from before the barrier is here: emits what is due.
    func emit(before barrier: RunControl.Barrier) throws {
        shard.clearBarrier()
        // Every shard has the same reports now, so all close the same windows and their states fit together.
        shared.watermarks.raise(shard.combinedWatermarks)
        // Another process may have published more, before a partition that was idle woke up.
        shared.watermarks.raise(shard.barrierWatermarks)
        try emit(at: shared.watermarks.all)
        lastFlush = shared.host.clock.milliseconds
        if case .final(closeWindows: true) = barrier.kind {
            try shard.emitOpenWindows { self.send(.rows(table: $0, $1)) }
        }
        send(.barrier(barrier.number, positions()))
        phase = .emitted(barrier)
    }

    /// Gives positions and state.
    func report(_ barrier: RunControl.Barrier) throws {
        // What the shard found to be late is in its state no more.
        try lateRecords.flush()
        shared.control.report(
            RunControl.Report(positions: positions(), state: try saveState(barrier.number), letters: reportedLetters()),
            worker: index)
        phase = .reported(barrier)
    }

    private func saveState(_ barrier: Int) throws -> [[StateFile]] {
        try shard.save(
            to: shared.settings.checkpointFolder, shared.host.files,
            name: StateFile.name(epoch: shared.settings.epoch, barrier: barrier, worker: index))
    }

    private func reportedLetters() -> [Checkpoint.Section] {
        partitions.flatMap { partition in
            let position = partition.consumers.map(\.nextOffset).min() ?? .min
            partition.reported = partition.reported.advanced(
                to: position, current: decodedColumns[partition.input])
            return [partition.reported.section(partition.partition)] + stepSections(partition)
                + refusedSections(partition)
        }
    }

    private func positions() -> [RunControl.SectionPosition] {
        partitions.flatMap { partition in
            let input = shared.topology.inputs[partition.input]
            return input.consumers.enumerated().map { position, consumer in
                RunControl.SectionPosition(
                    section: shared.topology.sectionName(consumer, of: input),
                    position: Checkpoint.Position(
                        partition: partition.partition, nextOffset: partition.consumers[position].nextOffset,
                        maxEventTime: partition.consumers[position].maxEventTime))
            }
        }
    }
}
