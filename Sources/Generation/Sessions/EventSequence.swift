import PlatformModel

/// One event before its values are made: what, when, by whom.
struct PlannedEvent: BitwiseCopyable {
    /// Milliseconds since the epoch.
    var time: Int64
    /// Counts events in the order of event time; the event's identity.
    var index: UInt64
    var sessionSeed: UInt64
    var entity: UInt32
    var type: UInt16
    /// The session's n-th product.
    var item: UInt8
}

/// The order of all events: sessions that overlap in time, then the disturbance that makes some of them late.
///
/// Times come first: the k-th event happens when (k + u) / N of all intensity has passed, with u in [0, 1). Each of these
/// moments goes to the active session that has been due longest, or to a new session when none is due. So there are
/// exactly N events in the shape that was asked for, whatever the sessions do. Towards the end no new session begins
/// once the active ones have enough steps left to fill the rest: so all but at most one session are complete, and the
/// measured rates are not biased against what happens late in a session, such as purchases.
///
/// Everything is drawn in this order by one thread; nothing depends on how many events a caller takes at a time.
struct EventSequence: ~Copyable {
    private struct Session: BitwiseCopyable {
        var seed: UInt64
        var entity: UInt32
        var length: Int32
        var position: Int32
        var hasCart: Bool
        var hasPurchase: Bool
    }

    /// More sessions are never active at once: it bounds memory (about 70 MB).
    private static let sessionLimit = 1 << 18

    private let model: SessionModel
    private let selected: [Bool]
    private let roles: [ShoppingRole?]
    private let entities: AliasTable
    private let count: Int?
    private var curve: IntensityCurve
    private let massPerEvent: Double
    private let meanGap: Double
    private let sessionBase: UInt64
    private let outOfOrderShare: Double
    private let outOfOrderBound: Int64

    private var random: RandomStream
    private var delays: RandomStream
    private let stride = SessionModel.longestScript
    private let rolled = UnsafeMutablePointer<ScriptStep>.allocate(capacity: SessionModel.longestScript)
    private static let aheadCount = 32
    /// The entities of `aheadCount` sessions from this one on.
    private var aheadStart = -1
    private let ahead = UnsafeMutablePointer<UInt32>.allocate(capacity: EventSequence.aheadCount)
    private var sessions: UnsafeMutablePointer<Session>
    private var scripts: UnsafeMutablePointer<ScriptStep>
    private var sessionCapacity = 64
    private var freeSlots: [Int32] = []
    private var usedSlots = 0
    private let due = TimeHeap<Int32>()
    private let held = TimeHeap<PlannedEvent>()
    /// The next event in order of time, when those that were held back come first.
    private var waiting: PlannedEvent?
    private var made = 0
    private var outstanding = 0
    private(set) var begun = 0
    private(set) var carts = 0
    private(set) var purchases = 0

    init(
        domain: DomainDefinition, schedule: GenerationSchedule, model: SessionModel, selected: [Bool],
        entityCount: Int, seed: UInt64
    ) {
        let settings = domain.synthetic
        self.model = model
        self.selected = selected
        roles = domain.eventTypes.map { ShoppingRole.of(eventType: $0.name) }
        entities = AliasTable(zipf: entityCount, exponent: EventGenerator.entityExponent)
        count = schedule.count
        curve = schedule.curve
        massPerEvent = schedule.massPerEvent
        sessionBase = splitSeed(seed, 1)
        random = RandomStream(splitSeed(seed, 2))
        delays = RandomStream(splitSeed(seed, 3))
        outOfOrderShare = settings.outOfOrderMilliseconds > 0 ? settings.outOfOrderShare : 0
        outOfOrderBound = settings.outOfOrderMilliseconds
        // A session takes at most an eighth of the span: else a short span would hold beginnings first and ends last.
        let longest = schedule.end.map { Double($0 - schedule.start) / 8 } ?? .infinity
        let steps = model.averageLength(selected: selected)
        meanGap = min(settings.sessionMinutes * 60_000, longest) / max(steps - 1, 1)
        sessions = .allocate(capacity: sessionCapacity)
        scripts = .allocate(capacity: sessionCapacity * SessionModel.longestScript)
    }

    deinit {
        rolled.deallocate()
        ahead.deallocate()
        sessions.deallocate()
        scripts.deallocate()
    }

    /// The next event in the order of delivery, or nil at the end.
    ///
    /// An event that is held back is delivered at event time + delay, with delay ≤ the bound. Whatever is delivered
    /// before it has an event time of at most that; so no event is further behind the highest time seen than the bound.
    mutating func next() -> PlannedEvent? {
        while true {
            if waiting == nil { waiting = nextInTime() }
            if held.count > 0, held.first.time <= waiting?.time ?? .max { return held.removeFirst().value }
            guard let event = waiting else { return nil }
            waiting = nil
            if outOfOrderShare > 0, delays.unit() < outOfOrderShare {
                let delay = 1 + Int64(delays.next().multipliedFullWidth(by: UInt64(outOfOrderBound)).high)
                held.push(.init(time: event.time + delay, tie: event.index, value: event))
            } else {
                return event
            }
        }
    }

    private mutating func nextInTime() -> PlannedEvent? {
        if let count, made >= count { return nil }
        let time = curve.time(atMass: (Double(made) + random.unit()) * massPerEvent)
        let index = UInt64(made)
        let remaining = count.map { $0 - made } ?? .max
        made += 1
        if due.count > 0,
            due.first.time <= time || outstanding >= remaining || usedSlots - freeSlots.count >= Self.sessionLimit
        {
            return continueSession(Int(due.first.value), time: time, index: index)
        }
        return beginSession(time: time, index: index)
    }

    private mutating func beginSession(time: Int64, index: UInt64) -> PlannedEvent {
        var seed: UInt64
        var length: Int
        repeat {
            seed = splitSeed(sessionBase, UInt64(begun))
            begun += 1
            // An empty script (all its types unselected) counts as a session, so that rates keep their meaning.
            length = model.writeScript(seed: seed, selected: selected, to: rolled)
        } while length == 0
        let entity = entity(ofSession: begun - 1)
        let step = rolled[0]
        var session = Session(
            seed: seed, entity: entity, length: Int32(length), position: 1, hasCart: false, hasPurchase: false)
        note(step, &session)
        if length > 1 {
            let slot = takeSlot()
            sessions[slot] = session
            (scripts + slot * stride).update(from: rolled, count: length)
            outstanding += length - 1
            due.push(.init(time: time + gap(), tie: index, value: Int32(slot)))
        }
        return PlannedEvent(
            time: time, index: index, sessionSeed: seed, entity: entity, type: step.type, item: step.item)
    }

    /// Who has the session with this number; numbers only rise.
    ///
    /// The table of entities is larger than the caches that are near: what the next sessions need of it is fetched for
    /// many at once, since one after the other each would wait for memory.
    private mutating func entity(ofSession number: Int) -> UInt32 {
        let place = number & (Self.aheadCount - 1)
        if number - place != aheadStart {
            aheadStart = number - place
            for index in 0..<Self.aheadCount {
                let seed = splitSeed(sessionBase, UInt64(aheadStart + index))
                ahead[index] = UInt32(truncatingIfNeeded: entities.pick(splitSeed(seed, 1)))
            }
        }
        return ahead[place]
    }

    private mutating func continueSession(_ slot: Int, time: Int64, index: UInt64) -> PlannedEvent {
        var session = sessions[slot]
        let step = scripts[slot * stride + Int(session.position)]
        session.position += 1
        outstanding -= 1
        note(step, &session)
        if session.position < session.length {
            sessions[slot] = session
            due.replaceFirst(.init(time: time + gap(), tie: index, value: Int32(slot)))
        } else {
            _ = due.removeFirst()
            freeSlots.append(Int32(slot))
        }
        return PlannedEvent(
            time: time, index: index, sessionSeed: session.seed, entity: session.entity, type: step.type,
            item: step.item)
    }

    /// Counts carts and purchases, each once a session.
    private mutating func note(_ step: ScriptStep, _ session: inout Session) {
        switch roles[Int(step.type)] {
        case .addToCart where !session.hasCart:
            session.hasCart = true
            carts += 1
        case .purchase where !session.hasPurchase:
            session.hasPurchase = true
            purchases += 1
        default: break
        }
    }

    private mutating func gap() -> Int64 { 1 + Int64(min(random.exponential() * meanGap, 1e12)) }

    private mutating func takeSlot() -> Int {
        if let free = freeSlots.popLast() { return Int(free) }
        if usedSlots == sessionCapacity {
            let movedSessions = UnsafeMutablePointer<Session>.allocate(capacity: sessionCapacity * 2)
            movedSessions.update(from: sessions, count: usedSlots)
            sessions.deallocate()
            let movedScripts = UnsafeMutablePointer<ScriptStep>.allocate(capacity: sessionCapacity * 2 * stride)
            movedScripts.update(from: scripts, count: usedSlots * stride)
            scripts.deallocate()
            (sessions, scripts, sessionCapacity) = (movedSessions, movedScripts, sessionCapacity * 2)
        }
        usedSlots += 1
        return usedSlots - 1
    }
}
