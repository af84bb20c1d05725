import PluginAPI

/// What the tables must hold in the end, reckoned from the events in the plainest way by the rules of docs/domains.md and
/// docs/runtime.md: every event, every window, no batches, no panes, no merging.
struct ExpectedTables {
    /// How an aggregation of ``SimulatedDomain`` counts.
    struct Rule {
        enum Window {
            /// Every `slide`, so long.
            case sliding(duration: Int64, slide: Int64)
            case cumulate(duration: Int64, step: Int64)
            case session(gap: Int64, tick: Int64)
        }

        enum Group { case none, country, user }
        enum Measure { case count, sum, twofold, max, users }

        var name: String
        var sink: String
        var isOverSales = true
        var isOverClicks = true
        /// Of sales those of the stream `rich` only.
        var isOverRich = false
        var window: Window
        var group = Group.country
        var delay: Int64
        var lateness: Int64 = 0
        /// Rows of windows that are not closed are not there.
        var isFinal = false
        var measures: [Measure]
    }

    /// In milliseconds.
    static let rules: [Rule] = [
        Rule(
            name: "tumbling", sink: "primary", isOverClicks: false, window: .sliding(duration: 10_000, slide: 10_000),
            delay: 3000, measures: [.count, .sum, .max, .users]),
        Rule(
            name: "corrected", sink: "primary", window: .sliding(duration: 7000, slide: 7000), delay: 2000,
            lateness: 4000, isFinal: true, measures: [.count, .sum]),
        Rule(
            name: "final", sink: "primary", isOverClicks: false, window: .sliding(duration: 5000, slide: 5000),
            group: .none, delay: 4000, isFinal: true, measures: [.count, .sum]),
        Rule(
            name: "sliding", sink: "versions", window: .sliding(duration: 12_000, slide: 4000), delay: 5000,
            measures: [.count, .sum, .users]),
        Rule(
            name: "cumulate", sink: "primary", isOverSales: false, window: .cumulate(duration: 20_000, step: 5000),
            delay: 3000, measures: [.count, .max]),
        Rule(
            name: "visits", sink: "primary", window: .session(gap: 4000, tick: 100), group: .user, delay: 5000,
            measures: [.count, .sum]),
        Rule(
            name: "final_visits", sink: "versions", isOverClicks: false, window: .session(gap: 3000, tick: 100),
            group: .user, delay: 4000, isFinal: true, measures: [.count]),
        Rule(
            name: "rich_totals", sink: "primary", isOverClicks: false, isOverRich: true,
            window: .sliding(duration: 8000, slide: 8000), delay: 3000, measures: [.count, .twofold]),
        Rule(
            name: "archived", sink: "archive", window: .sliding(duration: 6000, slide: 6000), delay: 3000,
            isFinal: true, measures: [.count, .users]),
        Rule(
            name: "archived_sliding", sink: "archive", isOverClicks: false,
            window: .sliding(duration: 10_000, slide: 5000), group: .none, delay: 2000, lateness: 3000, isFinal: true,
            measures: [.count, .sum]),
    ]

    /// Sorted, by table.
    private(set) var tables: [String: [ResultRow]] = [:]
    /// The ids of events that come too late, by aggregation.
    private(set) var late: [String: Set<String>] = [:]
    private var sets: [String: Set<ResultRow>] = [:]

    init(_ history: EventHistory) {
        for rule in Self.rules {
            tables[rule.name] = Self.rows(rule, history, late: &late[rule.name, default: []]).sorted()
            sets[rule.name] = Set(tables[rule.name] ?? [])
        }
        tables["click"] = history.events.filter { !$0.isSale && !$0.isBroken }.map {
            ResultRow(group: $0.id, values: "\($0.time),\($0.user),\($0.country),\($0.amount)")
        }.sorted()
        let rich = history.events.filter { $0.isSale && !$0.isBroken && $0.isRich }
        func row(_ event: EventHistory.Event, _ more: String = "") -> ResultRow {
            ResultRow(group: event.id, values: "\(event.time),\(event.country),\(event.amount * 2)\(more)")
        }
        tables["rich"] = rich.map { row($0) }.sorted()
        tables["richest"] = rich.filter { $0.amount > 600 }.map { row($0) }.sorted()
        tables["archived_rich"] = rich.map { row($0, ",\($0.amount * 4)") }.sorted()
        sets["archived_rich"] = Set(tables["archived_rich"] ?? [])
    }

    /// Whether a row that was written as final is the one that must be.
    func isFinal(_ row: ResultRow, of table: String) -> Bool { sets[table]?.contains(row) ?? false }

    /// An event with the highest time that its partition had before it; nil = it is the first.
    private typealias Judged = (event: EventHistory.Event, highest: Int64?)

    private static func rows(
        _ rule: Rule, _ history: EventHistory, late: inout Set<String>
    ) -> [ResultRow] {
        var judged: [Judged] = []
        var watermark = Int64.max
        for partition in history.partitions {
            guard partition.topic == EventHistory.sales ? rule.isOverSales : rule.isOverClicks else { continue }
            var highest: Int64?
            for event in history.events where event.partition == partition && !event.isBroken {
                judged.append((event, highest))
                highest = max(highest ?? .min, event.time)
            }
            watermark = min(watermark, highest.map { $0 - rule.delay } ?? .min)
        }
        switch rule.window {
        case .session(let gap, let tick): return sessions(rule, judged, gap, tick, watermark, &late)
        default: return windows(rule, judged, watermark, &late)
        }
    }

    private static func group(_ rule: Rule, _ event: EventHistory.Event) -> String {
        switch rule.group {
        case .none: ""
        case .country: event.country
        case .user: event.user
        }
    }

    private static func values(_ rule: Rule, _ events: [EventHistory.Event]) -> String {
        rule.measures.map { measure in
            switch measure {
            case .count: "\(events.count)"
            case .sum: "\(events.reduce(0) { $0 + $1.amount })"
            case .twofold: "\(events.reduce(0) { $0 + $1.amount * 2 })"
            case .max: "\(events.map(\.amount).max() ?? 0)"
            case .users: "\(Set(events.map(\.user)).count)"
            }
        }.joined(separator: ",")
    }

    private static func windows(
        _ rule: Rule, _ judged: [Judged], _ watermark: Int64, _ late: inout Set<String>
    ) -> [ResultRow] {
        var members: [ResultRow.Key: [EventHistory.Event]] = [:]
        for (event, highest) in judged where !rule.isOverRich || event.isRich {
            var isLate = true
            for (start, end) in bounds(rule.window, around: event.time) {
                // Closed by the clock of the event's own partition before it.
                if let highest, end + rule.lateness <= highest - rule.delay { continue }
                members[.init(start: start, end: end, group: group(rule, event)), default: []].append(event)
                isLate = false
            }
            if isLate { late.insert(event.id) }
        }
        // A sink that only adds waits for the allowed lateness.
        let wait = rule.sink == "archive" ? rule.lateness : 0
        return members.filter { !rule.isFinal || $0.key.end + wait <= watermark }.map {
            ResultRow(start: $0.key.start, end: $0.key.end, group: $0.key.group, values: values(rule, $0.value))
        }
    }

    private static func bounds(_ window: Rule.Window, around time: Int64) -> [(Int64, Int64)] {
        switch window {
        case .sliding(let duration, let slide):
            var start = time - time % slide
            var found: [(Int64, Int64)] = []
            while start + duration > time {
                found.append((start, start + duration))
                start -= slide
            }
            return found
        case .cumulate(let duration, let step):
            let start = time - time % duration
            let ends = Array(stride(from: start + step, through: start + duration, by: Int(step)))
            return ends.filter { $0 > time }.map { (start, $0) }
        case .session: return []
        }
    }

    private struct Session {
        var first: Int64
        var last: Int64
        var events: [EventHistory.Event]
    }

    /// Events are taken in the order of their floors: the clock of their partition before them less the delay, cut to the tick. One
    /// that is not before its floor touches only sessions that are open to it.
    private static func sessions(
        _ rule: Rule, _ judged: [Judged], _ gap: Int64, _ tick: Int64, _ watermark: Int64, _ late: inout Set<String>
    ) -> [ResultRow] {
        func cut(_ time: Int64) -> Int64 { time - time % tick }
        var rows: [ResultRow] = []
        for (group, all) in Dictionary(grouping: judged, by: { Self.group(rule, $0.event) }) {
            let floored: [(event: EventHistory.Event, floor: Int64)] = all.map { item in
                let floor: Int64 = item.highest.map { cut($0 - rule.delay - rule.lateness) } ?? .min
                return (event: item.event, floor: item.event.time >= floor ? Int64.min : floor)
            }
            var sessions: [Session] = []
            for (event, _) in floored.filter({ $0.floor == .min }).sorted(by: { $0.event.time < $1.event.time }) {
                if let last = sessions.last, event.time - last.last < gap {
                    sessions[sessions.count - 1].last = event.time
                    sessions[sessions.count - 1].events.append(event)
                } else {
                    sessions.append(Session(first: event.time, last: event.time, events: [event]))
                }
            }
            /// Joins everything that the event touches and that is open to it.
            func join(_ event: EventHistory.Event, _ floor: Int64) -> Bool {
                let touched = sessions.indices.filter {
                    sessions[$0].last + gap > floor && sessions[$0].first < event.time + gap
                        && event.time < sessions[$0].last + gap
                }
                guard !touched.isEmpty else { return false }
                var whole = Session(first: event.time, last: event.time, events: [event])
                for index in touched.reversed() {
                    let part = sessions.remove(at: index)
                    whole.first = min(whole.first, part.first)
                    whole.last = max(whole.last, part.last)
                    whole.events += part.events
                }
                sessions.append(whole)
                return true
            }
            for (floor, events) in Dictionary(grouping: floored.filter { $0.floor != .min }, by: \.floor)
                .sorted(by: { $0.key < $1.key })
            {
                let events = events.map(\.event).sorted { $0.time < $1.time }
                for event in events where event.time + gap > floor && !join(event, floor) {
                    sessions.append(Session(first: event.time, last: event.time, events: [event]))
                }
                var rest = events.filter { $0.time + gap <= floor }
                var hasJoined = true
                while hasJoined {
                    let count = rest.count
                    rest.removeAll { join($0, floor) }
                    hasJoined = rest.count < count
                }
                late.formUnion(rest.map(\.id))
            }
            rows += sessions.filter { !rule.isFinal || $0.last + gap <= cut(watermark - rule.lateness) }.map {
                ResultRow(start: $0.first, end: $0.last + gap, group: group, values: values(rule, $0.events))
            }
        }
        guard rule.sink == "primary" else { return rows }
        // A row takes the place of those that lie inside its window.
        return rows.filter { row in
            !rows.contains { $0 != row && $0.group == row.group && $0.start <= row.start && $0.end >= row.end }
        }
    }
}
