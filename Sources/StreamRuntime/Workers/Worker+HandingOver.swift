internal import DataPath
internal import Metrics
internal import PlatformModel
internal import PluginAPI
internal import Synchronization

/// What a worker gives to the shards and to the sink thread. Without threads nothing here waits.
extension Worker {
    /// Hands over and emits what is due at every flush interval; when the local tables are full before, only what nothing can
    /// change any more: rows of other windows are not written more often for that.
    func flushIfDue() throws {
        let now = shared.host.clock.milliseconds
        let isDue = now - lastFlush >= shared.settings.flushIntervalMilliseconds
        guard isDue || isFull else { return }
        if isDue { try flushLetters() }
        try flush()
        let published = shared.watermarks.all
        try takeInbox()
        try emit(at: covered(published), onlyClosed: !isDue)
        if index == shared.settings.ownWorkers.lowerBound { shared.watermarks.raise(shard.combinedWatermarks) }
        guard isDue else { return }
        lastFlush = now
        for partition in partitions where !partition.isAtEnd {
            if let end = try partition.reader.knownEnd {
                partition.lag = Int(clamping: end - partition.reader.position)
            }
        }
        for partition in partitions { partition.lagGauge.record(partition.lag) }
        shardGauges.show(shard, at: now)
    }

    /// Whether the local tables have outgrown the caches: what is gained by counting on in them is less than what it costs, and
    /// what waits in them takes memory.
    var isFull: Bool { runners.contains { $0.local.entryCount > shared.host.localEntryLimit } }

    /// What the shard may close now: of other processes it may not have yet what published watermarks cover, but what their
    /// own reports to it cover was sent to it before.
    private func covered(_ published: [Int64]) -> [Int64] {
        exchange == nil ? published : zip(published, shard.combinedWatermarks).map(min)
    }

    /// Sends the local deltas to their shards, then the watermarks that cover them.
    func flush() throws {
        for (aggregation, runner) in runners.enumerated() {
            do {
                for (target, batch) in try runner.local.extract(shardCount: shared.settings.workerCount).enumerated() {
                    if let batch { try send(.partial(aggregation: aggregation, batch), to: target) }
                }
            } catch let error as AggregationError {
                throw runner.aggregation.failure(error)
            }
        }
        // No local group refers to a code any more.
        if dictionary.count > Worker.dictionaryLimit || dictionary.byteCount > Worker.dictionaryByteLimit {
            dictionary.removeAll()
        }
        let reports = watermarkReports(at: shared.host.clock.milliseconds)
        for target in 0..<shared.settings.workerCount { try send(.watermarks(worker: index, reports), to: target) }
        try exchange?.flush()
    }

    func flushLetters() throws {
        try deadLetters.flush()
        try lateRecords.flush()
    }

    private func watermarkReports(at now: Int64) -> [WatermarkReport] {
        var reports = [WatermarkReport](repeating: WatermarkReport(), count: runners.count)
        for partition in partitions {
            if shared.host.fault == .watermarkIgnored, partition === partitions.first, partitions.count > 1 { continue }
            let isIdle = partition.isIdle(now: now, timeout: shared.settings.idleTimeoutMilliseconds)
            for (position, consumer) in shared.topology.inputs[partition.input].consumers.enumerated() {
                guard case .aggregation(let aggregation, _) = consumer else { continue }
                let highest = partition.consumers[position].maxEventTime
                reports[aggregation].add(
                    maxEventTime: highest,
                    delay: runners[aggregation].aggregation.spec.watermarkDelayMilliseconds,
                    isIdle: isIdle)
            }
        }
        return reports
    }

    func send(_ message: ShardMessage, to target: Int) throws {
        try outbox.send(.shard(target, message), deliver: handOver)
    }

    /// With threads it waits for room: the sink thread takes what there is whatever the workers do, and the rows of many
    /// windows that close at once must not pile up here.
    func send(_ message: SinkMessage) {
        if shared.host.hasThreads {
            _ = shared.sinkQueue.push(message)
        } else {
            outbox.send(.sink(message)) { _ in shared.sinkQueue.tryPush(message) }
        }
    }

    /// False when there is no room now.
    func handOver(_ letter: Outbox.Letter) throws -> Bool {
        switch letter {
        case .sink(let message): return shared.sinkQueue.tryPush(message)
        case .shard(index, let message): try shard.take(message)
        case .shard(let target, let message):
            if let inbox = shared.inbox(of: target) { return inbox.tryPush(message) }
            try exchange?.send(message, to: target, at: shared.host.clock.wallMilliseconds)
        }
        return true
    }

    func takeInbox() throws {
        while let message = shared.inbox(of: index)?.pop(waitingMilliseconds: 0) { try shard.take(message) }
        try exchange?.receive(shard.take)
    }

    func emit(at published: [Int64], onlyClosed: Bool = false) throws {
        try shard.emit(at: published, onlyClosed: onlyClosed) { self.send(.rows(table: $0, $1)) }
        takeLate()
        if let watermark = shard.watermark { shared.status.watermark.store(watermark, ordering: .relaxed) }
    }
}
