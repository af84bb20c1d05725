internal import DataPath
internal import PluginAPI

/// Tells which of the rows that wait may have others inside their windows, so that the table is searched for those alone.
///
/// Sessions of a group mostly come one after the other, and a search for each costs as much as its insertion. The filter
/// knows how late the windows of the table's rows begin, by a hash of their group: none of them lies inside a window
/// that begins later. Groups of one place in it are searched for more often than they need, never less. It knows a table
/// that was found empty, as long as no other connection writes; from then on every row is searched for. Threads: the
/// connection's.
final class InsideFilter {
    /// What is found out about the rows that wait before the database is locked.
    struct Rows {
        /// The first row's number of each batch.
        fileprivate var offsets: [Int] = []
        fileprivate var hashes: [UInt64] = []
        /// Whether another row that waits may lie inside.
        fileprivate var isSuspect: [Bool] = []

        fileprivate func number(_ place: WaitingRows.Place) -> Int { offsets[Int(place.batch)] + Int(place.row) }
    }

    private struct Window: BitwiseCopyable {
        var hash: UInt64
        var start: Int64
        var end: Int64
        var number: Int
    }

    private static let bits = 17
    private let start: Int
    private let end: Int
    private let groups: [Int]
    private let seed = UInt64.random(in: 0 ... .max)
    /// By the highest bits of a group's hash; empty while the table's rows are not known.
    private var latestStarts: [Int64] = []
    /// SQLite's `data_version`, which changes with the commits of other connections, and when they cut its log.
    private var version: Int64?
    /// False for a table whose rows it cannot know any more.
    private(set) var isOn = true

    /// Nil for a table whose rows replace none.
    init?(_ table: TableDefinition) {
        guard table.replacesInside, let start = table.columns.firstIndex(where: { $0.name == "window_start" }),
            let end = table.columns.firstIndex(where: { $0.name == "window_end" })
        else { return nil }
        (self.start, self.end) = (start, end)
        groups = table.key.compactMap { name in table.columns.firstIndex { $0.name == name } }
            .filter { $0 != start && $0 != end }
    }

    // MARK: The table.

    func knowsTable(version: Int64) -> Bool { self.version == version }

    /// The table is empty.
    func begin(version: Int64) {
        self.version = version
        latestStarts = Array(repeating: .min, count: 1 << Self.bits)
    }

    func turnOff() { (latestStarts, isOn) = ([], false) }

    /// The rows are in the table.
    func note(_ rows: Rows, of batches: [RecordBatch]) {
        guard !latestStarts.isEmpty else { return }
        for (batch, offset) in zip(batches, rows.offsets) {
            guard case .int64(let starts) = batch.columns[start] else { return turnOff() }
            for row in 0..<batch.rowCount {
                let place = Self.place(rows.hashes[offset + row])
                latestStarts[place] = max(latestStarts[place], starts.values[row])
            }
        }
    }

    // MARK: The rows that wait.

    /// Nil while it is off.
    func look(at batches: [RecordBatch]) -> Rows? {
        guard isOn else { return nil }
        var rows = Rows()
        var count = 0
        for batch in batches {
            rows.offsets.append(count)
            count += batch.rowCount
        }
        rows.hashes = Array(repeating: seed, count: count)
        for (batch, offset) in zip(batches, rows.offsets) {
            for group in groups { batch.columns[group].mix(into: &rows.hashes, from: offset, count: batch.rowCount) }
        }
        rows.isSuspect = suspects(rows, batches)
        return rows
    }

    /// The places of those among `places` that have to be searched for.
    func wanted(_ places: [WaitingRows.Place], _ rows: Rows, of batches: [RecordBatch]) -> [WaitingRows.Place] {
        guard !latestStarts.isEmpty else { return places }
        return places.filter { place in
            let number = rows.number(place)
            guard !rows.isSuspect[number], case .int64(let starts) = batches[Int(place.batch)].columns[start] else {
                return true
            }
            return starts.values[Int(place.row)] <= latestStarts[Self.place(rows.hashes[number])]
        }
    }

    private func suspects(_ rows: Rows, _ batches: [RecordBatch]) -> [Bool] {
        var windows: [Window] = []
        windows.reserveCapacity(rows.hashes.count)
        for (batch, offset) in zip(batches, rows.offsets) {
            guard case .int64(let starts) = batch.columns[start], case .int64(let ends) = batch.columns[end] else {
                return Array(repeating: true, count: rows.hashes.count)
            }
            for row in 0..<batch.rowCount {
                windows.append(
                    Window(
                        hash: rows.hashes[offset + row], start: starts.values[row], end: ends.values[row],
                        number: offset + row))
            }
        }
        windows.sort { $0.hash != $1.hash ? $0.hash < $1.hash : $0.start < $1.start }
        var isSuspect = Array(repeating: false, count: windows.count)
        for (one, next) in zip(windows, windows.dropFirst()) where one.hash == next.hash {
            // Which of two that begin together lies inside the other their order does not tell.
            if one.start == next.start { isSuspect[next.number] = true }
            if one.start == next.start || next.start < one.end { isSuspect[one.number] = true }
        }
        return isSuspect
    }

    private static func place(_ hash: UInt64) -> Int { Int(hash >> UInt64(64 - bits)) }
}

extension ColumnVector {
    /// Mixes the values of `count` rows into the hashes from `offset` on. Values of rare types are left out: more groups
    /// then have one hash.
    fileprivate func mix(into hashes: inout [UInt64], from offset: Int, count: Int) {
        switch self {
        case .boolean(let vector):
            for row in 0..<count {
                let value: UInt64 = vector.nulls[row] ? 2 : vector.values[row] ? 1 : 0
                hashes[offset + row] = DataPath.mix(hashes[offset + row] ^ value, Self.factor)
            }
        case .int64(let vector):
            for row in 0..<count {
                let value = vector.nulls[row] ? 0 : UInt64(bitPattern: vector.values[row])
                hashes[offset + row] = DataPath.mix(hashes[offset + row] ^ value, Self.factor)
            }
        case .bytes(let vector):
            for row in 0..<count where !vector.nulls[row] {
                hashes[offset + row] = shortHash(vector[row], seed: hashes[offset + row])
            }
        case .dictionary(let codes, let dictionary):
            for row in 0..<count where !codes.nulls[row] {
                hashes[offset + row] = shortHash(dictionary[codes.values[row]], seed: hashes[offset + row])
            }
        case .int128, .double, .hash: break
        }
    }

    private static var factor: UInt64 { 0x9FB2_1C65_1E98_DF25 }
}
