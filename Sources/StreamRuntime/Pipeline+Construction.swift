internal import DataPath
internal import PlatformModel
internal import PluginAPI

/// What a round of a run is made of.
extension Pipeline {
    /// Where rows go: the tables of all aggregations in their order, then those of single events.
    struct Targets {
        var list: [SinkThread.Target]
        /// By input.
        var raw: [Int: Int] = [:]
        /// By stream.
        var streams: [Int: Int] = [:]
    }

    func makeTargets() -> Targets {
        var targets = Targets(
            list: zip(topology.tables, topology.aggregations).map { SinkThread.Target(table: $0, sink: $1.sink) })
        for (index, input) in topology.inputs.enumerated() where input.eventType.rawEvents {
            targets.raw[index] = targets.list.count
            targets.list.append(
                SinkThread.Target(
                    table: Topology.owned(input.eventType.rawTable, by: topology.domain), sink: "primary"))
        }
        for (index, stream) in topology.streams.enumerated() {
            guard let table = stream.table, let sink = stream.sink else { continue }
            targets.streams[index] = targets.list.count
            targets.list.append(SinkThread.Target(table: Topology.owned(table, by: topology.domain), sink: sink))
        }
        return targets
    }

    func makeShared(
        _ crew: Crew, _ sinkQueue: BoundedQueue<SinkMessage>, _ hashKey: HashKey, _ epoch: UInt64,
        _ targets: Targets, _ recounts: RecountRequests, _ control: RunControl
    ) -> Worker.Shared {
        Worker.Shared(
            topology: topology,
            settings: Worker.Settings(
                workerCount: crew.total, ownWorkers: crew.own, batchRows: options.batchRows ?? parts.settings.batchRows,
                flushIntervalMilliseconds: parts.settings.flushIntervalMilliseconds,
                idleTimeoutMilliseconds: parts.settings.idleTimeoutMilliseconds,
                maxFutureSkewMilliseconds: parts.settings.maxFutureSkewMilliseconds,
                deadLetterTopic: DeadLetter.topic(prefix: parts.topicPrefix),
                lateTopic: LateRecord.topic(prefix: parts.topicPrefix),
                checkpointFolder: parts.checkpointFolder, epoch: epoch,
                emission: topology.aggregations.map { aggregation in
                    let replacesRows = parts.sinkNatures[aggregation.sink] == .table
                    switch aggregation.emit {
                    case .updates: return .updates
                    // Without lateness nothing comes to a window that is complete.
                    case .final where aggregation.spec.allowedLatenessMilliseconds == 0: return .final
                    case .final: return replacesRows ? .corrected : .final
                    case nil: return replacesRows ? .updates : .final
                    }
                }, rawTargets: targets.raw, streamTargets: targets.streams),
            broker: parts.broker, schemas: parts.schemas, hashKey: hashKey,
            memory: MemoryBudget(limitBytes: memoryLimitBytes, names: topology.aggregations.map(\.name)),
            inboxes: crew.own.map { _ in
                BoundedQueue(capacity: host.queueCapacity, byteLimit: max(queueBytes / crew.own.count, 1 << 20)) {
                    $0.byteCount
                }
            }, exchange: crew.exchange, sinkQueue: sinkQueue,
            control: control, status: status, progress: crew.own.map { _ in WorkerProgress() },
            watermarks: PublishedWatermarks(count: topology.aggregations.count), metrics: metrics,
            deadLetterTally: deadLetterTally, recounts: recounts, host: host,
            notify: parts.notify)
    }

    /// What the open windows of all aggregations may hold.
    var memoryLimitBytes: Int { parts.settings.memoryLimitBytes ?? MachineMemory().bytes / 2 }

    /// What the queue before the sinks may hold, and those between the workers together.
    var queueBytes: Int { min(1 << 26, max(memoryLimitBytes / 16, 1 << 20)) }

    func makeSinkThread(
        _ queue: BoundedQueue<SinkMessage>, _ targets: [SinkThread.Target], _ control: RunControl, workerCount: Int
    ) -> SinkThread {
        SinkThread(
            targets: targets, queue: queue, control: control, status: status, workerCount: workerCount,
            flushIntervalMilliseconds: parts.settings.flushIntervalMilliseconds, readiness: readiness,
            letters: RowLetters(
                DeadLetterWriter(
                    topic: DeadLetter.topic(prefix: parts.topicPrefix), broker: parts.broker, status: status,
                    tally: deadLetterTally, retrying: Retrying(component: "dead letters", control: control)),
                status: status, clock: host.clock))
    }

    func startThreads(_ workers: [Worker], _ sink: SinkThread) -> [RunThread] {
        [RunThread(name: "sink", confining: sink) { $0.run() }]
            + workers.map { worker in RunThread(name: "worker \(worker.index)", confining: worker) { $0.run() } }
    }
}
