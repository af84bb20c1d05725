internal import CSIMDJSON
internal import DataPath

/// Which cells of a column need no look at its rules: of a scalar type with one cell, and there.
enum PlainKind {
    case none, string, double, integer, int32, milliseconds

    init(_ column: ConversionPlan.Column, _ timestamps: TimestampReader) {
        guard column.slot >= 0, column.amountSlot < 0 else {
            self = .none
            return
        }
        switch column.conversion {
        case .string: self = .string
        case .double: self = .double
        case .long: self = .integer
        case .int: self = .int32
        case .timestamp: self = timestamps.takesMilliseconds ? .milliseconds : .none
        default: self = .none
        }
    }
}

extension ColumnConverter {
    /// The records of a call.
    struct Rows {
        var cells: UnsafePointer<sp_json_value>
        var width: Int
        var count: Int
        var faults: UnsafeMutablePointer<RecordFault>
    }

    /// Appends the column's value of every record without a fault to the vector, in the encoding that it has, and notes new
    /// faults; after those the columns differ in length, so the caller cuts back and repeats without them.
    func convert(_ rows: Rows, into vector: ColumnVector, hasNewFaults: inout Bool) {
        switch (vector, plainKind) {
        case (.double(let target), .double): convert(rows, target, vector, &hasNewFaults)
        case (.int64(let target), .integer), (.int64(let target), .int32), (.int64(let target), .milliseconds):
            convert(rows, target, vector, &hasNewFaults)
        case (.dictionary(let target, let dictionary), _): convert(rows, target, dictionary, &hasNewFaults)
        case (.hash(let target), _): convert(rows, target, &hasNewFaults)
        case (.bytes(let target), .string):
            var cell = rows.cells + column.slot
            for row in 0..<rows.count {
                if rows.faults[row].fault == .none {
                    if cell.pointee.isText {
                        target.append(cell.pointee.bytes)
                    } else {
                        judge(rows, row, vector, &hasNewFaults)
                    }
                }
                cell += rows.width
            }
        default:
            for row in 0..<rows.count where rows.faults[row].fault == .none {
                judge(rows, row, vector, &hasNewFaults)
            }
        }
    }

    private func convert(
        _ rows: Rows, _ target: FixedVector<Double>, _ vector: ColumnVector, _ hasNewFaults: inout Bool
    ) {
        target.reserve(target.count + rows.count)
        let (values, nulls) = (target.values, target.nulls)
        var end = target.count
        var cell = rows.cells + column.slot
        for row in 0..<rows.count {
            if rows.faults[row].fault == .none {
                let kind = cell.pointee.kind
                if kind == CellKind.double || kind == CellKind.integer {
                    values[end] = kind == CellKind.double ? cell.pointee.number : Double(cell.pointee.integer)
                    nulls[end] = false
                    end += 1
                } else {
                    target.count = end
                    judge(rows, row, vector, &hasNewFaults)
                    end = target.count
                }
            }
            cell += rows.width
        }
        target.count = end
    }

    private func convert(
        _ rows: Rows, _ target: FixedVector<Int64>, _ vector: ColumnVector, _ hasNewFaults: inout Bool
    ) {
        let range: ClosedRange<Int64> =
            switch plainKind {
            case .milliseconds: TimestampReader.range
            case .int32: Int64(Int32.min)...Int64(Int32.max)
            default: .min ... .max
            }
        target.reserve(target.count + rows.count)
        let (values, nulls) = (target.values, target.nulls)
        var end = target.count
        var cell = rows.cells + column.slot
        for row in 0..<rows.count {
            if rows.faults[row].fault == .none {
                let value = cell.pointee.integer
                if cell.pointee.kind == CellKind.integer, range.contains(value) {
                    values[end] = value
                    nulls[end] = false
                    end += 1
                } else {
                    target.count = end
                    judge(rows, row, vector, &hasNewFaults)
                    end = target.count
                }
            }
            cell += rows.width
        }
        target.count = end
    }

    private func convert(
        _ rows: Rows, _ target: FixedVector<UInt32>, _ dictionary: StringDictionary, _ hasNewFaults: inout Bool
    ) {
        let isPlain = plainKind == .string
        target.reserve(target.count + rows.count)
        withUnsafeTemporaryAllocation(of: UnsafeRawBufferPointer.self, capacity: Self.textBlock) { texts in
            guard let first = texts.baseAddress else { return }
            var waiting = 0
            func takeWaiting() {
                dictionary.codes(for: first, count: waiting, into: target.values + target.count)
                (target.nulls + target.count).update(repeating: false, count: waiting)
                target.count += waiting
                waiting = 0
            }
            for row in 0..<rows.count where rows.faults[row].fault == .none {
                let cell = rows.cells + (row * rows.width + (isPlain ? column.slot : 0))
                if isPlain, cell.pointee.isText {
                    first[waiting] = cell.pointee.bytes
                    waiting &+= 1
                    if waiting == Self.textBlock { takeWaiting() }
                    continue
                }
                takeWaiting()
                guard let bytes = text(rows, row, &hasNewFaults) else { continue }
                if let bytes { target.append(dictionary.code(for: bytes)) } else { target.appendNull() }
            }
            takeWaiting()
        }
    }

    /// Strings that are looked up together.
    private static let textBlock = 128

    private func convert(_ rows: Rows, _ target: FixedVector<Hash128>, _ hasNewFaults: inout Bool) {
        let isPlain = plainKind == .string
        target.reserve(target.count + rows.count)
        for row in 0..<rows.count where rows.faults[row].fault == .none {
            let cells = rows.cells + row * rows.width
            if isPlain, cells[column.slot].isText {
                target.append(sipHash128(cells[column.slot].bytes, key: hashKey))
            } else if let bytes = text(rows, row, &hasNewFaults) {
                if let bytes { target.append(sipHash128(bytes, key: hashKey)) } else { target.appendNull() }
            }
        }
    }

    /// The bytes that the column stores for a record, nil for null, until the next call; nil without them after a fault.
    private func text(_ rows: Rows, _ row: Int, _ hasNewFaults: inout Bool) -> UnsafeRawBufferPointer?? {
        scratch.removeAll()
        judge(rows, row, .bytes(scratch), &hasNewFaults)
        guard scratch.count > 0 else { return .none }
        return .some(scratch.nullCount > 0 ? nil : scratch[0])
    }

    /// Converts one record by all rules, and notes its fault.
    private func judge(_ rows: Rows, _ row: Int, _ vector: ColumnVector, _ hasNewFaults: inout Bool) {
        let outcome = convert(rows.cells + row * rows.width, vector)
        guard outcome.reason != .none else { return }
        rows.faults[row] = RecordFault(fault: outcome.reason, column: index, slot: Int32(outcome.slot))
        hasNewFaults = true
    }
}

extension sp_json_value {
    /// A string that is not empty, which may count as missing.
    fileprivate var isText: Bool { kind == CellKind.string && length > 0 }
}
