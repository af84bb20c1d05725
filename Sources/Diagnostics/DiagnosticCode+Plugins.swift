// Codes of plugins. Append at the end; never renumber. List each in `plugins` too.

extension DiagnosticCode {
    public static let secretFileMissing = DiagnosticCode("SP4001", "A secret file or folder is not there.")
    public static let secretFileUnreadable = DiagnosticCode("SP4002", "A secret file cannot be read.")
    public static let secretFileWorldReadable = DiagnosticCode("SP4003", "A secret file may be read by everybody.")
    public static let secretFileInvalid = DiagnosticCode("SP4004", "A secret file has a format that is not understood.")
    public static let invalidSecretKey = DiagnosticCode("SP4005", "A secret's key cannot name a secret of the backend.")
    public static let unknownPlugin = DiagnosticCode("SP4020", "A 'type' names a plugin that is not built in.")
    public static let pluginConflict = DiagnosticCode("SP4021", "Two plugins of one kind have one name.")
    public static let uncheckedPluginBlock = DiagnosticCode(
        "SP4022", "The options of a plugin that is not built in were not checked.")
    public static let brokerRefusesTopic = DiagnosticCode(
        "SP4023", "The broker in use cannot have a topic as it is asked for.")
    public static let pluginMissing = DiagnosticCode("SP4040", "A plugin that the configuration names is not there.")

    static let plugins: [DiagnosticCode] = [
        secretFileMissing, secretFileUnreadable, secretFileWorldReadable, secretFileInvalid, invalidSecretKey,
        unknownPlugin, pluginConflict, uncheckedPluginBlock, brokerRefusesTopic, pluginMissing,
    ]
}
