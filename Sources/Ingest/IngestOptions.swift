public import Compression
public import Diagnostics
internal import RecordConversion

/// What is ingested: bytes with a name.
public struct IngestSource {
    public var input: any ByteInput
    /// The file as the person named it, `-` for standard input. It stands in messages and in derived event ids.
    public var name: String

    public init(input: any ByteInput, name: String) {
        self.input = input
        self.name = name
    }

    /// Opens a file; `-` is standard input. Throws with exit code 3 when it is not there.
    public init(path: String) throws(DiagnosticsError) {
        do {
            input = try FileInput(path: path)
        } catch {
            throw DiagnosticsError(
                Diagnostic(.inputNotReadable, "cannot read '\(path)': \(error.reason)"),
                exitCode: error.isMissing ? 3 : 1)
        }
        name = path
    }
}

public enum IngestFormat: String, Sendable, CaseIterable {
    /// One JSON object a line.
    case ndjson
    case csv
    /// Avro object container file.
    case avro
}

/// How a file is read; the defaults suit a file with the event type's own names.
public struct IngestOptions: Sendable {
    public enum Delimiter: Hashable, Sendable {
        case character(UInt8)
        /// Runs of blanks and tabs; those at a line's beginning and end count for nothing, quotes have no meaning.
        case whitespace
    }

    /// A name in the file and the field that it fills.
    public struct Mapping: Hashable, Sendable {
        public var column: String
        public var field: String

        public init(column: String, field: String) {
            self.column = column
            self.field = field
        }

        var names: NameMapping { NameMapping(column: column, field: field) }
    }

    /// Nil = by the name's ending (`.ndjson`, `.jsonl`, `.json`, `.csv`, `.tsv`, `.txt`, `.avro`, each also with `.gz`), else
    /// by the first byte.
    public var format: IngestFormat?
    public var mappings: [Mapping] = []
    /// CSV: the columns' names, in place of a header. Without them and without a header, columns are named `1`, `2`, ….
    public var columns: [String]?
    public var hasHeader = true
    /// Nil = a comma; a tab for `.tsv`.
    public var delimiter: Delimiter?
    /// Nil = ISO 8601, or milliseconds since the epoch for numbers. Else `iso8601`, `epoch_s`, `epoch_ms`, `epoch_us`, or a
    /// pattern as of strptime.
    public var timestampFormat: String?
    /// The zone of timestamps that name none: `UTC`, `+02:00`, or an IANA name.
    public var timezone = "UTC"
    /// A longer record is a bad record.
    public var recordByteLimit = 16 << 20

    public init() {}
}

/// A record that is not an event of the type, and why.
public struct BadRecord: Hashable, Sendable {
    /// How many bytes of a bad record are kept.
    public static let keptBytes = 64 << 10

    public var file: String
    /// 1-based; of the value at fault, or of the record.
    public var line: Int
    /// 1-based, in Unicode scalars.
    public var column: Int
    public var field: String?
    public var code: DiagnosticCode
    /// Holds no values of the record.
    public var reason: String
    /// The record's bytes without line end, at most ``keptBytes``.
    public var bytes: [UInt8]
    public var isTruncated: Bool

    public init(
        file: String, line: Int, column: Int, field: String?, code: DiagnosticCode, reason: String, bytes: [UInt8],
        isTruncated: Bool
    ) {
        self.file = file
        self.line = line
        self.column = column
        self.field = field
        self.code = code
        self.reason = reason
        self.bytes = bytes
        self.isTruncated = isTruncated
    }
}

/// What an ingest did so far.
public struct IngestSummary: Hashable, Sendable {
    public var records = 0
    public var good = 0
    public var bad = 0
    /// Names in the file that belong to no field, in order of first sight.
    public var ignoredColumns: [String] = []
    /// Records whose event id was derived from file name, record number and content.
    public var derivedEventIDs = 0

    public init() {}
}
