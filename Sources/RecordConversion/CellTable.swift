package import CSIMDJSON

/// What stands in a cell; the C face documents each.
package enum CellKind {
    package static var absent: UInt32 { 0 }
    package static var null: UInt32 { 1 }
    package static var `false`: UInt32 { 2 }
    package static var `true`: UInt32 { 3 }
    package static var integer: UInt32 { 4 }
    package static var double: UInt32 { 5 }
    package static var bigNumber: UInt32 { 6 }
    package static var string: UInt32 { 7 }
    package static var array: UInt32 { 8 }
    package static var object: UInt32 { 9 }
    /// An unquoted cell of delimited text.
    package static var cell: UInt32 { 10 }
    // Of formats with types of their own; beside the value stands its text, where a column may ask for it.
    /// Bytes as they are.
    package static var bytes: UInt32 { 11 }
    /// `integer` = days since the epoch; `text` = `YYYY-MM-DD`.
    package static var day: UInt32 { 12 }
    /// `integer` = milliseconds since the epoch; `text` = ISO 8601 in UTC.
    package static var instant: UInt32 { 13 }
}

/// Why a record as a whole cannot be read.
package enum RecordStatus: UInt32 {
    case fine = 0, malformed, notObject, notUTF8, trailing, tooDeep, badString, badNumber, noMemory, recordExpected
    case tooLarge = 100
    case quoteNotClosed, textAfterQuote, tooFewCells, tooManyCells
    case undecodable = 200
    case plainValue
    /// Not a record but a part of the file that is lost.
    case lost

    package var reason: String {
        switch self {
        case .fine: ""
        case .malformed: "it is not well-formed JSON"
        case .notObject: "it is not a JSON object"
        case .notUTF8: "it is not valid UTF-8"
        case .trailing: "something follows the JSON object on its line"
        case .tooDeep: "it is nested too deeply"
        case .badString: "a string is malformed"
        case .badNumber: "a number is malformed"
        case .noMemory: "there is not enough memory to read it"
        case .recordExpected: "a record is expected here, as a JSON object"
        case .tooLarge: "it is larger than the limit for one record"
        case .quoteNotClosed: "a quote is not closed"
        case .textAfterQuote: "text follows a closing quote"
        case .tooFewCells: "it has fewer cells than there are columns"
        case .tooManyCells: "it has more cells than there are columns"
        case .undecodable: "its bytes do not follow the file's schema"
        case .plainValue: "a nested record is expected where it has another value"
        case .lost: "a part of the file cannot be read"
        }
    }
}

/// A few hundred records as cells: row `r` is `values[r * width ..< (r + 1) * width]`.
///
/// The cells point into the source's buffer; they are valid until the source is read again.
package final class CellTable {
    package static let maxRecords = 256

    package let width: Int
    package let values: UnsafeMutablePointer<sp_json_value>
    package let records: UnsafeMutablePointer<sp_json_record>
    /// What the records' `start` counts from.
    package var base: UnsafePointer<UInt8>
    /// The line number of ``base``, from 1, and the number of the first record, from 1.
    package var firstLine = 1
    package var firstRecord = 1
    private let nothing: UnsafeMutablePointer<UInt8>

    package init(width: Int) {
        self.width = width
        values = .allocate(capacity: max(width, 1) * Self.maxRecords)
        values.initialize(repeating: sp_json_value(), count: max(width, 1) * Self.maxRecords)
        records = .allocate(capacity: Self.maxRecords)
        records.initialize(repeating: sp_json_record(), count: Self.maxRecords)
        nothing = .allocate(capacity: 1)
        base = UnsafePointer(nothing)
    }

    deinit {
        values.deallocate()
        records.deallocate()
        nothing.deallocate()
    }

    package func bytes(_ row: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + records[row].start, count: records[row].length)
    }
}

extension sp_json_value {
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: text, count: Int(length)) }
}
