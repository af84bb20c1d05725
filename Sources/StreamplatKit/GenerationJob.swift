internal import AvroSchema
internal import DataPath
internal import Foundation
internal import Diagnostics
public import Generation
public import PlatformModel
public import PluginAPI

/// Where generated events go.
public enum GenerationTarget: Sendable {
    case broker(any Broker, schemas: any SchemaRegistry, topicPrefix: String)
    /// One file; the format follows its ending: `.ndjson`, `.csv` or `.avro`.
    case file(String)
    /// Nowhere: they are only made.
    case nothing
}

/// Makes synthetic events and sends them on: while some are written, the next ones are made. Threads: one calls it.
public struct GenerationJob {
    private let domain: DomainDefinition
    private let options: GenerationOptions
    private let target: GenerationTarget
    private let generator: EventGenerator

    /// Throws ``DiagnosticsError`` when the domain's generators do not fit its fields.
    public init(domain: DomainDefinition, options: GenerationOptions, target: GenerationTarget) throws {
        self.domain = domain
        self.options = options
        self.target = target
        generator = try EventGenerator(domain: domain, options: options)
    }

    /// How many events there will be; nil when there is no end.
    public var totalEvents: Int? { generator.totalEvents }

    /// Their columns and their text stay in a core's cache.
    private static let rowsAtOnce = 4096

    /// Runs to the end, or until `shouldStop` says so; `progress` is told how many events are made so far; of these the last
    /// few thousand are still being written. Once.
    public func run(progress: (_ done: Int) -> Void, shouldStop: () -> Bool) throws -> GenerationSummary {
        let output = try makeOutput()
        let writing = WorkBehind(with: output)
        let begin = Date()
        while !shouldStop() {
            // With a rate the events of about a tenth of a second are made at once.
            let rows = pace.map { max(1, min(Self.rowsAtOnce, Int($0 / 10))) } ?? Self.rowsAtOnce
            guard let batches = generator.next(maxRows: rows) else { break }
            try writing.start { [domain] output in try output.write(batches, domain) }
            progress(generator.generatedEvents)
            if let rate = pace {
                let due = begin.addingTimeInterval(Double(generator.generatedEvents) / rate)
                if due.timeIntervalSinceNow > 0.001 { try writing.start { try $0.flush() } }
                while due.timeIntervalSinceNow > 0, !shouldStop() {
                    Thread.sleep(forTimeInterval: min(0.1, due.timeIntervalSinceNow))
                }
            }
        }
        try writing.finish()
        let summary = generator.summary
        try output.close(isWhole: totalEvents.map { summary.events >= $0 } ?? true)
        return summary
    }

    /// Events per second; nil = as fast as can be. A duration without a rate is that of the domain's rate.
    private var pace: Double? {
        if let rate = options.rate { return rate }
        guard options.durationMilliseconds != nil else { return nil }
        return domain.synthetic.eventsPerSecond ?? GenerationOptions.defaultRate
    }

    /// Where the events stand that were made before an interruption; nil when they are not in a file.
    public var partFile: String? {
        if case .file(let path) = target { return FileOutput.partName(path) }
        return nil
    }

    private func makeOutput() throws -> any GenerationOutput {
        switch target {
        case .nothing: return NoOutput()
        case .broker(let broker, let schemas, let prefix):
            return BrokerOutput(
                try EventPublisher(domain.eventTypes, broker: broker, schemas: schemas, topicPrefix: prefix))
        case .file(let path): return try FileOutput(path: path, domain: domain, eventTypes: options.eventTypes)
        }
    }
}

/// Takes batches of generated events.
protocol GenerationOutput {
    func write(_ batches: [GeneratedBatch], _ domain: DomainDefinition) throws
    func flush() throws
    /// - Parameter isWhole: Whether all events that were asked for are there.
    func close(isWhole: Bool) throws
}

private struct NoOutput: GenerationOutput {
    func write(_ batches: [GeneratedBatch], _ domain: DomainDefinition) {}
    func flush() {}
    func close(isWhole: Bool) {}
}

private struct BrokerOutput: GenerationOutput {
    private let publisher: EventPublisher
    init(_ publisher: EventPublisher) { self.publisher = publisher }

    func write(_ batches: [GeneratedBatch], _ domain: DomainDefinition) throws {
        for batch in batches {
            let name = domain.eventTypes[batch.eventType].name
            var fault: String?
            try publisher.publish(batch.batch, of: name) { _, error in fault = fault ?? error.description }
            if let fault {
                throw PipelineError(
                    .generatedValueRefused, "a generated '\(name)' event does not fit its schema: \(fault)",
                    hint: "look at the field's `values`, `generate` and sample_data")
            }
        }
    }

    func flush() throws { try publisher.flush() }
    func close(isWhole: Bool) throws { try publisher.close() }
}
