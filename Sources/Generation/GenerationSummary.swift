/// What has been generated so far.
public struct GenerationSummary: Sendable, Equatable {
    /// Events by type, in the domain's order.
    public internal(set) var eventsByType: [(name: String, count: Int)]
    /// Sessions that have begun. With independent events each event is one.
    public internal(set) var sessions = 0
    /// Sessions in which something was added to a cart.
    public internal(set) var carts = 0
    /// Sessions with a purchase.
    public internal(set) var purchases = 0
    /// Milliseconds since the epoch; nil before the first event.
    public internal(set) var firstEventTime: Int64?
    public internal(set) var lastEventTime: Int64?

    init(eventTypes: [String]) { eventsByType = eventTypes.map { ($0, 0) } }

    public var events: Int { eventsByType.reduce(0) { $0 + $1.count } }

    public static func == (a: GenerationSummary, b: GenerationSummary) -> Bool {
        a.eventsByType.elementsEqual(b.eventsByType, by: ==) && a.sessions == b.sessions && a.carts == b.carts
            && a.purchases == b.purchases && a.firstEventTime == b.firstEventTime
            && a.lastEventTime == b.lastEventTime
    }
}
