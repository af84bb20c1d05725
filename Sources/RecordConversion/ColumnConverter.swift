internal import CSIMDJSON
internal import DataPath
internal import PlatformModel

/// Why a cell is not a value of its column; 0 = it is.
package enum CellFault: UInt8 {
    case none = 0, missing, unreadable, outOfRange, tooManyDigits, unknownSymbol, ambiguous, timeOutOfRange
}

/// A record's first fault.
package struct RecordFault {
    package var fault = CellFault.none
    package var column: Int32 = -1
    package var slot: Int32 = -1
}

/// Fills one column from the cells of a table.
struct ColumnConverter {
    let column: ConversionPlan.Column
    let index: Int32
    private let timestamps: TimestampReader
    private let symbols: StringDictionary?
    private let isText: Bool
    /// Cells of this kind, which most are, take a short way.
    let plainKind: PlainKind
    let hashKey: HashKey
    /// One value on its way to a dictionary or a hash.
    let scratch = BytesVector()
    /// The field's default as a cell; owned by ``ownedDefault``.
    private let defaultCell: sp_json_value?
    private let ownedDefault: BytesVector

    /// `hashKey` is that of columns that hold hashes.
    init(_ column: ConversionPlan.Column, index: Int, timestamps: TimestampReader, hashKey: HashKey) {
        self.column = column
        self.hashKey = hashKey
        plainKind = PlainKind(column, timestamps)
        self.index = Int32(index)
        self.timestamps = timestamps
        let owned = BytesVector()
        ownedDefault = owned
        if case .enumeration(let names) = column.conversion {
            let dictionary = StringDictionary()
            for var name in names { name.withUTF8 { _ = dictionary.code(for: UnsafeRawBufferPointer($0)) } }
            symbols = dictionary
        } else {
            symbols = nil
        }
        switch column.conversion {
        case .string, .bytes: isText = true
        default: isText = false
        }
        var cell = sp_json_value()
        if let text = column.defaultText {
            text.withUnsafeBytes { owned.append($0) }
            cell.kind = CellKind.string
            cell.text = owned[0].baseAddress?.assumingMemoryBound(to: CChar.self)
            cell.length = UInt32(text.count)
            defaultCell = cell
        } else if column.isDefaultNull {
            cell.kind = CellKind.null
            defaultCell = cell
        } else {
            defaultCell = nil
        }
    }

    typealias Outcome = (reason: CellFault, slot: Int)

    /// Appends the column's value of one record to a plain vector; nothing when it has a fault.
    func convert(_ row: UnsafePointer<sp_json_value>, _ vector: ColumnVector) -> Outcome {
        var slot = column.slot
        var isAmount = false
        if column.amountSlot >= 0 {
            let hasAmount = !isMissing(row[column.amountSlot])
            if hasAmount, slot >= 0, !isMissing(row[slot]) { return (.ambiguous, slot) }
            // Without either, the one that the record names (as null) decides.
            if hasAmount || slot < 0 || row[slot].kind == CellKind.absent {
                slot = column.amountSlot
                isAmount = true
            }
        }
        var cell = row[slot]
        if cell.kind == CellKind.absent, let defaultCell {
            cell = defaultCell
            isAmount = false
        }
        if isMissing(cell) {
            // A cell that is there but empty is an empty string where null is not allowed.
            if isText, !column.isNullable, cell.kind == CellKind.cell, case .bytes(let target) = vector {
                target.append(UnsafeRawBufferPointer(start: nil, count: 0))
                return (.none, slot)
            }
            if isText, cell.kind == CellKind.string || cell.kind == CellKind.bytes, case .bytes(let target) = vector {
                target.append(UnsafeRawBufferPointer(start: nil, count: 0))
                return (.none, slot)
            }
            guard column.isNullable else { return (.missing, slot) }
            appendNull(vector)
            return (.none, slot)
        }
        return (append(cell, isAmount, vector), slot)
    }

    /// Absent, null or empty.
    @inline(__always)
    private func isMissing(_ cell: sp_json_value) -> Bool {
        // A time may stand without its text.
        cell.kind <= CellKind.null
            || cell.length == 0 && cell.kind >= CellKind.string && cell.kind <= CellKind.bytes
    }

    private func appendNull(_ vector: ColumnVector) {
        switch vector {
        case .boolean(let target): target.appendNull()
        case .int64(let target): target.appendNull()
        case .int128(let target): target.appendNull()
        case .double(let target): target.appendNull()
        case .bytes(let target): target.appendNull()
        case .dictionary(let target, _): target.appendNull()
        case .hash(let target): target.appendNull()
        }
    }

    @inline(__always)
    private func append(_ cell: sp_json_value, _ isAmount: Bool, _ vector: ColumnVector) -> CellFault {
        let kind = cell.kind
        let isNumber = kind >= CellKind.integer && kind <= CellKind.bigNumber
        let isTime = kind == CellKind.day || kind == CellKind.instant
        let isWritten = kind == CellKind.string || kind == CellKind.cell || isTime
        switch vector {
        case .bytes(let target):
            switch column.conversion {
            case .string:
                // A number or a boolean is not a string, so that 007 and 7 are not mixed up unseen. Bytes are, as Avro has
                // it, if they are text.
                guard isWritten || kind == CellKind.bytes && TextFormat.isValidUTF8(cell.bytes) else {
                    return .unreadable
                }
                target.append(cell.bytes)
            case .uuid:
                guard isWritten, TextFormat.isUUID(cell.bytes) else { return .unreadable }
                target.append(cell.bytes)
            case .enumeration:
                guard isWritten else { return .unreadable }
                guard symbols?.existingCode(for: cell.bytes) != nil else { return .unknownSymbol }
                target.append(cell.bytes)
            case .json(let type):
                guard isWritten || kind == CellKind.array || kind == CellKind.object,
                    JSONShape.matches(cell.bytes, type)
                else { return .unreadable }
                target.append(cell.bytes)
            default:
                if kind == CellKind.bytes {
                    target.append(cell.bytes)
                } else {
                    guard isWritten, Self.appendHex(cell.bytes, to: target) else { return .unreadable }
                }
            }
        case .int64(let target):
            switch column.conversion {
            case .timestamp:
                guard isNumber || isWritten else { return .unreadable }
                let reading =
                    switch kind {
                    case CellKind.instant: TimestampReader.checked(cell.integer)
                    case CellKind.day: timestamps.readISO(cell.bytes)
                    default: timestamps.read(cell.bytes, isNumber: isNumber)
                    }
                switch reading {
                case .milliseconds(let value): target.append(value)
                case .unreadable: return .unreadable
                case .outOfRange: return .timeOutOfRange
                }
            case .date:
                if kind == CellKind.integer || kind == CellKind.day {
                    guard Int32(exactly: cell.integer) != nil else { return .outOfRange }
                    target.append(cell.integer)
                } else {
                    guard isWritten, let days = TextFormat.date(cell.bytes) else { return .unreadable }
                    target.append(days)
                }
            case .money(let scale) where isAmount:
                guard isNumber || isWritten else { return .unreadable }
                switch TextFormat.decimal(cell.bytes, precision: 38, scale: scale) {
                case .value(let value):
                    guard let cents = Int64(exactly: value) else { return .outOfRange }
                    target.append(cents)
                case .notANumber: return .unreadable
                case .tooManyFractionDigits: return .tooManyDigits
                case .outOfRange: return .outOfRange
                }
            default:
                var value = cell.integer
                if kind != CellKind.integer {
                    guard isNumber || isWritten else { return .unreadable }
                    // 3.0 and 1e3 are whole numbers too.
                    if let whole = TextFormat.integer(cell.bytes) {
                        value = whole
                    } else {
                        switch TextFormat.decimal(cell.bytes, precision: 38, scale: 0) {
                        case .value(let read):
                            guard let whole = Int64(exactly: read) else { return .outOfRange }
                            value = whole
                        case .outOfRange: return .outOfRange
                        default: return .unreadable
                        }
                    }
                }
                if case .int = column.conversion, Int32(exactly: value) == nil { return .outOfRange }
                target.append(value)
            }
        case .double(let target):
            var value = 0.0
            if kind == CellKind.double {
                value = cell.number
            } else if kind == CellKind.integer {
                value = Double(cell.integer)
            } else {
                guard isNumber || isWritten else { return .unreadable }
                guard sp_parse_double(cell.text, Int(cell.length), &value) == 1 else {
                    return isNumber ? .outOfRange : .unreadable
                }
            }
            if case .float = column.conversion {
                // Not a number and the infinities, which only typed formats have, stay what they are.
                guard Float(value).isFinite || !value.isFinite else { return .outOfRange }
                value = Double(Float(value))
            }
            target.append(value)
        case .int128(let target):
            guard isNumber || isWritten, case .decimal(let precision, let scale) = column.conversion else {
                return .unreadable
            }
            switch TextFormat.decimal(cell.bytes, precision: precision, scale: scale) {
            case .value(let value): target.append(value)
            case .notANumber: return .unreadable
            case .tooManyFractionDigits: return .tooManyDigits
            case .outOfRange: return .outOfRange
            }
        case .boolean(let target):
            guard let value = Self.boolean(cell) else { return .unreadable }
            target.append(value)
        case .dictionary, .hash: return .unreadable
        }
        return .none
    }

    /// JSON's booleans, 0 and 1, and the texts true, false, t, f, yes, no, y, n, 1, 0 in any case.
    private static func boolean(_ cell: sp_json_value) -> Bool? {
        if cell.kind == CellKind.true { return true }
        if cell.kind == CellKind.false { return false }
        guard cell.kind != CellKind.array, cell.kind != CellKind.object, cell.kind != CellKind.bytes, cell.length <= 5
        else { return nil }
        switch String(decoding: cell.bytes, as: UTF8.self).lowercased() {
        case "true", "t", "yes", "y", "1": return true
        case "false", "f", "no", "n", "0": return false
        default: return nil
        }
    }

    /// Bytes as hexadecimal text; nothing is appended when it is not.
    private static func appendHex(_ text: UnsafeRawBufferPointer, to target: BytesVector) -> Bool {
        func nibble(_ byte: UInt8) -> UInt8? {
            let digit = byte &- UInt8(ascii: "0")
            if digit < 10 { return digit }
            let letter = (byte | 0x20) &- UInt8(ascii: "a")
            return letter < 6 ? letter + 10 : nil
        }
        guard text.count % 2 == 0, text.allSatisfy({ nibble($0) != nil }) else { return false }
        let out = target.appendSlot(byteCount: text.count / 2)
        for index in 0..<text.count / 2 {
            out[index] = (nibble(text[index * 2]) ?? 0) << 4 | (nibble(text[index * 2 + 1]) ?? 0)
        }
        return true
    }
}
