// Codes of schemas, generation and ingest. Append at the end; never renumber. List each in `schemas` too.

extension DiagnosticCode {
    public static let inputNotReadable = DiagnosticCode(
        "SP3201", "An input file cannot be opened or read, or is damaged as a whole.")
    public static let malformedRecord = DiagnosticCode(
        "SP3202", "A record of an input file is not well-formed: JSON, quotes, UTF-8, number of cells.")
    public static let recordTooLarge = DiagnosticCode("SP3203", "A record of an input file is larger than the limit.")
    public static let missingValue = DiagnosticCode("SP3204", "A record lacks a value that its event type requires.")
    public static let unreadableValue = DiagnosticCode("SP3205", "A value cannot be read as its field's type.")
    public static let valueOutOfRange = DiagnosticCode("SP3206", "A value is outside its field's range or precision.")
    public static let unknownSymbol = DiagnosticCode("SP3207", "A value is not one of its enum's symbols.")
    public static let ambiguousValue = DiagnosticCode(
        "SP3208", "A money field is given twice, as an amount and as cents.")
    public static let unknownMapping = DiagnosticCode(
        "SP3209", "A mapping names a field or a column that does not exist, or a field twice.")
    public static let missingColumn = DiagnosticCode("SP3210", "An input file has no column for a required field.")
    public static let unknownTimezone = DiagnosticCode("SP3211", "A time zone is not known.")
    public static let invalidTimestampFormat = DiagnosticCode(
        "SP3212", "A timestamp format is not one that can be read.")
    public static let unknownInputFormat = DiagnosticCode(
        "SP3213", "The format of an input file cannot be told, or its header is unusable.")

    static let schemas: [DiagnosticCode] = [
        inputNotReadable, malformedRecord, recordTooLarge, missingValue, unreadableValue, valueOutOfRange,
        unknownSymbol, ambiguousValue, unknownMapping, missingColumn, unknownTimezone,
        invalidTimestampFormat, unknownInputFormat,
    ]
}
