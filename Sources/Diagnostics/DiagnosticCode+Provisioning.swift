// Codes of provisioning and queries. Append at the end; never renumber. List each in `provisioning` too.

extension DiagnosticCode {
    public static let queryFailed = DiagnosticCode("SP5001", "A query failed.")
    public static let sinkStorage = DiagnosticCode("SP5002", "A sink's storage cannot be opened or written.")
    public static let tableRefused = DiagnosticCode("SP5003", "A table cannot be changed without losing data.")
    public static let topicRefused = DiagnosticCode("SP5004", "A topic cannot be changed without losing data.")
    public static let incompatibleSchema = DiagnosticCode("SP5005", "A schema cannot read what the old one wrote.")
    public static let confirmationNeeded = DiagnosticCode("SP5006", "A change needs to be confirmed.")
    public static let notQueryable = DiagnosticCode("SP5007", "This kind of sink cannot be queried.")
    public static let staleSchemaFile = DiagnosticCode("SP5008", "A schema file differs from its domain.")
    public static let topicTwice = DiagnosticCode("SP5009", "Two domains claim one topic.")
    public static let outputFormatRefused = DiagnosticCode("SP5010", "A command has no output in the wanted format.")
    public static let sinkMissing = DiagnosticCode("SP5011", "What a query would look into is not there yet.")
    public static let letterTopicSilent = DiagnosticCode("SP5030", "The topic of dead letters does not answer.")

    static let provisioning: [DiagnosticCode] = [
        queryFailed, sinkStorage, tableRefused, topicRefused, incompatibleSchema, confirmationNeeded, notQueryable,
        staleSchemaFile, topicTwice, outputFormatRefused, sinkMissing, letterTopicSilent,
    ]
}
