import DataPath
import Testing

extension StreamCase {
    /// The naive reference for sessions: rows in the order of their floors; each joins the sessions that it touches and that
    /// are open to it, or begins one, or is late.
    func expectedSessions(_ rows: [TestRow]) -> (table: ResultTable, late: Set<Int>) {
        struct Session {
            var rows: [TestRow]
            var first: Int64
            var last: Int64
        }
        let tick: Int64 = duration / 16 >= 10 ? 10 : 1
        var highest = [Int64?](repeating: nil, count: partitions)
        var placed: [(floor: Int64, number: Int)] = []
        for (number, row) in rows.enumerated() {
            let floor = highest[row.partition].map { Self.floorDiv($0 - delay - lateness, tick) * tick } ?? .min
            placed.append((floor, number))
            highest[row.partition] = max(highest[row.partition] ?? row.time, row.time)
        }
        var sessions: [String: [Session]] = [:]
        var late: Set<Int> = []
        /// False when the row touches no session that is open to it.
        func join(_ row: TestRow, _ floor: Int64) -> Bool {
            var own = Session(rows: [row], first: row.time, last: row.time)
            var others: [Session] = []
            var hasJoined = false
            for session in sessions[row.group] ?? [] {
                let touches = session.first < row.time + duration && row.time < session.last + duration
                if touches, session.last + duration > floor {
                    own.rows += session.rows
                    own.first = min(own.first, session.first)
                    own.last = max(own.last, session.last)
                    hasJoined = true
                } else {
                    others.append(session)
                }
            }
            guard hasJoined || row.time + duration > floor else { return false }
            sessions[row.group] = others + [own]
            return true
        }
        for (floor, group) in Dictionary(grouping: placed, by: \.floor).sorted(by: { $0.key < $1.key }) {
            var waiting = group.map(\.number)
            var before = waiting.count + 1
            while waiting.count < before {
                before = waiting.count
                waiting.removeAll { join(rows[$0], floor) }
            }
            late.formUnion(waiting)
        }
        var table: ResultTable = [:]
        for (group, sessions) in sessions {
            for session in sessions {
                table["\(session.first)|\(session.last + duration)|\(group)"] = results(session.rows)
            }
        }
        return (table, late)
    }
}

@Suite("Sessions against a naive reference")
struct SessionTests {
    //   gap, delay, lateness, partitions: rows come up to 8 late, every twelfth up to 80.
    static let cases: [StreamCase] = [1, 7, 1024].flatMap { batch in
        [
            (4, 100, 0, 1), (6, 100, 0, 3), (5, 10, 0, 1), (8, 3, 0, 3), (12, 0, 5, 2), (40, 2, 0, 2), (200, 0, 0, 3),
        ].enumerated().map { number, w in
            StreamCase(
                seed: UInt64(number + 21), duration: w.0, slide: w.0, delay: w.1, lateness: w.2, partitions: w.3,
                batchSize: batch, shards: number % 3 + 1, extractEvery: batch == 1 ? 9 : number % 2 + 1, kind: .session,
                isStrict: batch == 7)
        }
    }

    @Test(
        "any split, shard count and cadence gives the reference's sessions", arguments: cases, StreamCase.Mode.allCases)
    func matchesReference(_ stream: StreamCase, _ mode: StreamCase.Mode) throws {
        let rows = stream.rows(count: 400)
        let expected = stream.expectedSessions(rows)
        let result = try stream.run(rows, mode: mode)
        #expect(result.late == expected.late.count)
        #expect(result.lateRecords == expected.late)
        #expect(result.twice == 0)
        // A session that was closed before events came that are older still, and that join a later one over it: its row lies
        // inside the later one's, which replaces it.
        let hidden =
            mode != .updates
            ? []
            : expected.table.keys.filter { key in
                let inner = StreamCase.window(key)
                return expected.table.keys.map(StreamCase.window).contains {
                    $0.group == inner.group && $0.start <= inner.start && $0.end >= inner.end
                        && ($0.start, $0.end) != (inner.start, inner.end)
                }
            }
        #expect(hidden.count < 5)
        let wrong = Set(expected.table.keys).union(result.table.keys).filter {
            (hidden.contains($0) ? nil : expected.table[$0]) != result.table[$0]
        }
        let first = wrong.sorted().first
        #expect(
            wrong.isEmpty,
            "\(wrong.count) of \(expected.table.count): \(first ?? ""): \(first.flatMap { expected.table[$0] } ?? "-") / \(first.flatMap { result.table[$0] } ?? "-")"
        )
    }

    //  floor of both late rows: 143      first [103, 133)  is closed to it, and waits for one that it can join
    //                                    second  [129, 159)  forms a session, also when the watermark was at 143 before it
    @Test("a row waits at its floor for rows with the same floor", arguments: StreamCase.Mode.allCases)
    func waitsAtItsFloor(_ mode: StreamCase.Mode) throws {
        let stream = StreamCase(
            seed: 0, duration: 30, slide: 30, delay: 40, lateness: 0, partitions: 1, batchSize: 1, shards: 1,
            extractEvery: 1, kind: .session)
        let rows = [("FR", 183), ("DE", 103), ("DE", 129)].map { country, time in
            TestRow(partition: 0, time: time, country: country, shop: nil, amount: nil, units: nil, user: nil)
        }
        let result = try stream.run(rows, mode: mode)
        #expect(result.late == 0)
        #expect(result.table == stream.expectedSessions(rows).table)
    }

    @Test("the cases hold what they are for: late rows, joined sessions, rows behind their floor that count")
    func casesAreWorthIt() {
        let late = Self.cases.map { $0.expectedSessions($0.rows(count: 400)).late.count }
        #expect(late.contains(0) && late.contains { $0 > 10 })
    }
}
