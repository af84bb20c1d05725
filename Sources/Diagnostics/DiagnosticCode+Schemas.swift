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

    static let schemas: [DiagnosticCode] = [
        schemaJSON, schemaInvalid, schemaCannotRead, schemaCannotWrite, avroContainer, avroCodec, avroDecode,
        avroEncode, libavroRefused,
    ]
}
