import DataPath
import Diagnostics
public import PlatformModel

/// Makes the synthetic events of a domain: columnar batches by event type.
///
/// The stream of events depends only on the domain, seed, start, span and number of events; never on batch sizes, speed
/// or threads. Cost: about 0.25 µs an event of the shop. Memory: the pools, the active
/// sessions (at most 70 MB) and two batches a type.
/// Threads: one at a time.
public final class EventGenerator {
    /// Activity of the entity of rank n is n to the power of minus this.
    static let entityExponent = 0.8
    static let productCount = 1000

    /// What was settled, for repeating a run: the same seed, start and span give the same events.
    public let seed: UInt64
    public let startMilliseconds: Int64
    /// Nil when the stream has no end.
    public let endMilliseconds: Int64?
    /// How many events there will be; nil when the stream has no end.
    public let totalEvents: Int?

    private var sequence: EventSequence
    /// By event type, twice: they are filled in turn.
    private let rows: [[EventRows]]
    private var turn = 0
    private var counts: [Int]
    private let names: [String]
    private var delivered: Int64 = 0
    private var first: Int64?
    private var last: Int64?

    /// Throws ``DiagnosticsError`` with all findings (SP3101 to SP3106).
    public init(domain: DomainDefinition, options: GenerationOptions) throws {
        var diagnostics = Diagnostics()
        let names = domain.eventTypes.map(\.name)
        for name in options.eventTypes ?? [] where !names.contains(name) {
            let near = nearestName(to: name, among: names).map { "did you mean '\($0)'?" }
            diagnostics.error(
                .unknownGeneratedEventType, "the domain '\(domain.name)' has no event type '\(name)'", at: nil,
                hint: near ?? "its event types are \(names.joined(separator: ", "))")
        }
        if names.isEmpty || options.eventTypes?.isEmpty == true || names.count > Int(UInt16.max) {
            diagnostics.error(
                .unknownGeneratedEventType, "there is no event type to generate, or more than 65,535",
                at: domain.location)
        }
        let schedule = GenerationSchedule(domain: domain, options: options, into: &diagnostics)
        guard let schedule, !diagnostics.hasErrors else { throw DiagnosticsError(diagnostics: diagnostics) }
        let selected = names.map { options.eventTypes?.contains($0) ?? true }
        let model = SessionModel.choose(domain: domain, selected: selected, into: &diagnostics)
        let seed = options.seed ?? domain.synthetic.seed
        let planner = ColumnPlanner(domain: domain, seed: seed)
        let recipes = domain.eventTypes.map { planner.recipes(for: $0, into: &diagnostics) }
        rows = (0..<2).map { _ in
            zip(domain.eventTypes, recipes).map { type, recipes in
                EventRows(
                    schema: BatchSchema(type.columns), columns: recipes, productPicker: planner.productPicker,
                    seed: seed)
            }
        }
        try diagnostics.throwIfErrors()
        self.names = names
        self.seed = seed
        startMilliseconds = schedule.start
        endMilliseconds = schedule.end
        totalEvents = schedule.count
        counts = names.map { _ in 0 }
        sequence = EventSequence(
            domain: domain, schedule: schedule, model: model, selected: selected, entityCount: planner.entityCount,
            seed: seed)
    }

    /// The next events, at most `maxRows` over all types, or nil at the end; one batch for each type that occurs.
    ///
    /// The batches share out one run of the stream: their sequence numbers are those of that run, without gaps.
    public func next(maxRows: Int) -> [GeneratedBatch]? {
        precondition(maxRows > 0, "a batch has at least one row")
        turn = 1 - turn
        let rows = rows[turn]
        for buffer in rows { buffer.begin(rows: maxRows) }
        var made = 0
        while made < maxRows, let event = sequence.next() {
            rows[Int(event.type)].add(event, sequenceNumber: delivered &+ Int64(made))
            first = min(first ?? event.time, event.time)
            last = max(last ?? event.time, event.time)
            made &+= 1
        }
        guard made > 0 else { return nil }
        delivered += Int64(made)
        var batches: [GeneratedBatch] = []
        for (type, buffer) in rows.enumerated() where buffer.count > 0 {
            buffer.fill(ordinal: counts[type])
            counts[type] += buffer.count
            batches.append(
                GeneratedBatch(
                    eventType: type, batch: buffer.batch,
                    sequenceNumbers: UnsafeBufferPointer(start: buffer.sequence, count: buffer.count)))
        }
        return batches
    }

    /// Events that have been given out.
    public var generatedEvents: Int { Int(delivered) }

    /// The highest event time so far, for progress; nil before the first event.
    public var eventTime: Int64? { last }

    public var summary: GenerationSummary {
        var summary = GenerationSummary(eventTypes: names)
        for (type, count) in counts.enumerated() { summary.eventsByType[type].count = count }
        summary.sessions = sequence.begun
        summary.carts = sequence.carts
        summary.purchases = sequence.purchases
        summary.firstEventTime = first
        summary.lastEventTime = last
        return summary
    }
}
