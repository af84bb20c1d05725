internal import CSIMDJSON
package import DataPath

/// Turns tables of cells into columns of an event type, and sets bad records apart. Threads: one at a time.
package final class TableConverter {
    /// What ids are derived from when a record has none.
    package struct Identities {
        var identity: RecordIdentity
        /// Per record of the table; nil = its number in the file and its bytes.
        var numbers: UnsafePointer<Int64>?

        package init(_ identity: RecordIdentity, numbers: UnsafePointer<Int64>? = nil) {
            self.identity = identity
            self.numbers = numbers
        }
    }

    package let plan: ConversionPlan
    /// Per record of the table that was converted last.
    package let faults: UnsafeMutablePointer<RecordFault>
    private let converters: [ColumnConverter]
    private let hashKey: HashKey
    /// Ids on their way to a dictionary or hashes.
    private let ids = BytesVector()

    /// `eventTimes` reads the column `timestamp` where its format is another than that of the other times; `hashKey` is that
    /// of columns that hold hashes.
    package init(
        plan: ConversionPlan, timestamps: TimestampReader, eventTimes: TimestampReader? = nil,
        hashKey: HashKey = HashKey(k0: 0, k1: 0)
    ) {
        self.hashKey = hashKey
        self.plan = plan
        converters = plan.columns.enumerated().map { index, column in
            ColumnConverter(
                column, index: index,
                timestamps: column.name == "timestamp" ? eventTimes ?? timestamps : timestamps, hashKey: hashKey)
        }
        faults = .allocate(capacity: CellTable.maxRecords)
        faults.initialize(repeating: RecordFault(), count: CellTable.maxRecords)
    }

    deinit { faults.deallocate() }

    /// Appends the first `count` records of the table to `columns`, which are the plan's in any encoding, from row `start` on.
    ///
    /// Bad records add nothing; ``faults`` tells which those are. Returns the number of rows added.
    package func convert(
        _ table: CellTable, count: Int, into columns: [ColumnVector], from start: Int, identities: Identities
    ) -> Int {
        for row in 0..<count {
            let isBroken = table.records[row].status != RecordStatus.fine.rawValue
            faults[row] = RecordFault(fault: isBroken ? .unreadable : .none)
        }
        // A second pass is only needed after faults, and then finds no more.
        let rows = ColumnConverter.Rows(
            cells: UnsafePointer(table.values), width: table.width, count: count, faults: faults)
        var hasNewFaults = true
        while hasNewFaults {
            hasNewFaults = false
            for (index, converter) in converters.enumerated() {
                columns[index].truncate(to: start)
                if index == plan.eventIDColumn {
                    fillEventIDs(index, table, count, columns[index], identities)
                } else {
                    converter.convert(rows, into: columns[index], hasNewFaults: &hasNewFaults)
                }
            }
        }
        var added = 0
        for row in 0..<count where faults[row].fault == .none { added += 1 }
        return added
    }

    /// Whether the record has no id of its own.
    package func derivesEventID(_ table: CellTable, _ row: Int) -> Bool {
        guard let column = plan.eventIDColumn else { return false }
        let cell = table.values[row * table.width + plan.columns[column].slot]
        return cell.kind <= CellKind.null || cell.kind >= CellKind.string && cell.length == 0
    }

    private func fillEventIDs(
        _ column: Int, _ table: CellTable, _ count: Int, _ vector: ColumnVector, _ identities: Identities
    ) {
        guard case .bytes(let target) = vector else {
            ids.removeAll()
            fillEventIDs(column, table, count, .bytes(ids), identities)
            return vector.append(.bytes(ids), rows: ids.count, hashKey: hashKey)
        }
        let slot = plan.columns[column].slot
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        for row in 0..<count where faults[row].fault == .none {
            if derivesEventID(table, row) {
                let number = identities.numbers.map { Int($0[row]) } ?? table.firstRecord + row
                identities.identity.write(
                    record: number, bytes: identities.numbers == nil ? table.bytes(row) : nothing,
                    to: target.appendSlot(byteCount: 36))
            } else {
                // An id is opaque: a number in JSON keeps its digits as text. Bytes are shown as such.
                let cell = table.values[row * table.width + slot]
                if cell.kind == CellKind.bytes {
                    Self.appendHex(of: cell.bytes, to: target)
                } else {
                    target.append(cell.bytes)
                }
            }
        }
    }

    private static func appendHex(of bytes: UnsafeRawBufferPointer, to target: BytesVector) {
        let out = target.appendSlot(byteCount: bytes.count * 2)
        for (index, byte) in bytes.enumerated() {
            out[index * 2] = TextFormat.hexDigit(byte >> 4)
            out[index * 2 + 1] = TextFormat.hexDigit(byte & 15)
        }
    }
}

extension ColumnVector {
    fileprivate func truncate(to rows: Int) {
        switch self {
        case .boolean(let target): target.truncate(to: rows)
        case .int64(let target): target.truncate(to: rows)
        case .int128(let target): target.truncate(to: rows)
        case .double(let target): target.truncate(to: rows)
        case .bytes(let target): target.truncate(to: rows)
        case .dictionary(let target, _): target.truncate(to: rows)
        case .hash(let target): target.truncate(to: rows)
        }
    }
}
