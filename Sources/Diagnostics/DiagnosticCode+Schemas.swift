// Codes of schemas, generation and ingest. Append at the end; never renumber. List each in `schemas` too.

extension DiagnosticCode {
    public static let schemaJSON = DiagnosticCode("SP3001", "A schema is not valid JSON.")
    public static let schemaInvalid = DiagnosticCode("SP3002", "A schema breaks a rule of Avro.")
    public static let schemaCannotRead = DiagnosticCode(
        "SP3003", "Records of a schema cannot be read as the columns that are needed.")
    public static let schemaCannotWrite = DiagnosticCode("SP3004", "Columns cannot be written with a schema.")
    public static let avroContainer = DiagnosticCode("SP3005", "An Avro container file is damaged or is not one.")
    public static let avroCodec = DiagnosticCode("SP3006", "An Avro container file uses a codec that is not supported.")
    public static let avroDecode = DiagnosticCode("SP3007", "The bytes of a record do not follow its Avro schema.")
    public static let avroEncode = DiagnosticCode("SP3008", "A row cannot be written with its Avro schema.")
    public static let libavroRefused = DiagnosticCode("SP3009", "libavro refuses a schema or a record.")
    public static let invalidSyntheticSetting = DiagnosticCode(
        "SP3101", "A setting of the synthetic data is out of its range or contradicts another.")
    public static let invalidSampleValue = DiagnosticCode(
        "SP3102", "A sample value is not a value of its field's type.")
    public static let unsuitableGenerator = DiagnosticCode(
        "SP3103", "A field's generator does not make values of the field's type, or its parameters are wrong.")
    public static let unknownValueProvider = DiagnosticCode("SP3104", "There is no value provider of this name.")
    public static let unknownGeneratedEventType = DiagnosticCode(
        "SP3105", "Events of a type were asked for that the domain does not have.")
    public static let invalidTransition = DiagnosticCode(
        "SP3106", "A declared transition names an unknown event type, or probabilities do not add up.")
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
    public static let generatedValueRefused = DiagnosticCode("SP3301", "A generated event does not fit its schema.")
    public static let encodingRefused = DiagnosticCode(
        "SP3302", "A record that was read cannot be written with its schema.")
    public static let outputFormat = DiagnosticCode(
        "SP3303", "An output file cannot be written, or its name says no format.")
    public static let schemaIncompatible = DiagnosticCode(
        "SP3010", "A schema does not go with the versions of its subject, as the compatibility level asks.")
    public static let schemaNotAccepted = DiagnosticCode("SP3011", "A schema registry does not take a schema.")
    public static let subjectReadOnly = DiagnosticCode("SP3012", "A subject of a schema registry is read-only.")

    static let schemas: [DiagnosticCode] = [
        schemaJSON, schemaInvalid, schemaCannotRead, schemaCannotWrite, avroContainer, avroCodec, avroDecode,
        avroEncode, libavroRefused, invalidSyntheticSetting, invalidSampleValue, unsuitableGenerator,
        unknownValueProvider, unknownGeneratedEventType, invalidTransition, inputNotReadable, malformedRecord,
        recordTooLarge, missingValue, unreadableValue, valueOutOfRange, unknownSymbol, ambiguousValue, unknownMapping,
        missingColumn, unknownTimezone, invalidTimestampFormat, unknownInputFormat, generatedValueRefused,
        encodingRefused, outputFormat, schemaIncompatible, schemaNotAccepted, subjectReadOnly,
    ]
}
