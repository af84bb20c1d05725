internal import CSIMDJSON

/// What stands in a cell; the C face documents each.
enum CellKind {
    static var absent: UInt32 { 0 }
    static var null: UInt32 { 1 }
    static var `false`: UInt32 { 2 }
    static var `true`: UInt32 { 3 }
    static var integer: UInt32 { 4 }
    static var double: UInt32 { 5 }
    static var bigNumber: UInt32 { 6 }
    static var string: UInt32 { 7 }
    static var array: UInt32 { 8 }
    static var object: UInt32 { 9 }
    /// An unquoted cell of delimited text.
    static var cell: UInt32 { 10 }
    // Of formats with types of their own; beside the value stands its text, where a column may ask for it.
    /// Bytes as they are.
    static var bytes: UInt32 { 11 }
    /// `integer` = days since the epoch; `text` = `YYYY-MM-DD`.
    static var day: UInt32 { 12 }
    /// `integer` = milliseconds since the epoch; `text` = ISO 8601 in UTC.
    static var instant: UInt32 { 13 }
}

/// Why a record as a whole cannot be read.
enum RecordStatus: UInt32 {
    case fine = 0, malformed, notObject, notUTF8, trailing, tooDeep, badString, badNumber, noMemory, recordExpected
    case tooLarge = 100
    case quoteNotClosed, textAfterQuote, tooFewCells, tooManyCells
    case undecodable = 200
    case plainValue
    /// Not a record but a part of the file, see ``RecordSource/loss``.
    case lost

    var reason: String {
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
final class CellTable {
    static let maxRecords = 256

    let width: Int
    let values: UnsafeMutablePointer<sp_json_value>
    let records: UnsafeMutablePointer<sp_json_record>
    /// What the records' `start` counts from.
    var base: UnsafePointer<UInt8>
    /// The line number of ``base``, from 1, and the number of the first record, from 1.
    var firstLine = 1
    var firstRecord = 1
    private let nothing: UnsafeMutablePointer<UInt8>

    init(width: Int) {
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

    func bytes(_ row: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + records[row].start, count: records[row].length)
    }
}

/// Reads records as cells.
protocol RecordSource: AnyObject {
    /// Replaces the table's contents with up to ``CellTable/maxRecords`` records and returns how many; 0 at the end.
    func read(into table: CellTable, maxRecords: Int) throws -> Int
    /// Names that occurred and are not wanted.
    var ignoredColumns: [String] { get }
    /// False when line numbers are the numbers of records.
    var hasLines: Bool { get }
    /// What the table's only record stands for when its status is ``RecordStatus/lost``.
    var loss: SourceLoss? { get }
}

extension RecordSource {
    var hasLines: Bool { true }
    var loss: SourceLoss? { nil }
}

/// A part of a file that cannot be read.
struct SourceLoss {
    /// How many records it held, if that is known.
    var recordCount: Int?
    var reason: String
}

extension sp_json_value {
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: text, count: Int(length)) }
}
