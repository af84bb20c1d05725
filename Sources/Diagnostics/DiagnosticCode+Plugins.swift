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
    public static let registryUnreachable = DiagnosticCode(
        "SP4300", "A schema registry does not answer, or fails at every address.")
    public static let registryCredentials = DiagnosticCode(
        "SP4301", "A schema registry refuses the credentials, or what they may do.")
    public static let registryAnswer = DiagnosticCode(
        "SP4302", "A schema registry refuses a request, or answers what is not understood.")
    public static let registryOptions = DiagnosticCode(
        "SP4303", "The options of a schema registry contradict each other or are not usable.")
    public static let registryFiles = DiagnosticCode(
        "SP4310", "The files of the embedded schema registry cannot be used, or are damaged.")
    public static let serverCannotListen = DiagnosticCode(
        "SP4320", "An HTTP server cannot listen at its address.")

    static let plugins: [DiagnosticCode] = [
        secretFileMissing, secretFileUnreadable, secretFileWorldReadable, secretFileInvalid, invalidSecretKey,
        unknownPlugin, pluginConflict, uncheckedPluginBlock, brokerRefusesTopic, pluginMissing,
        registryUnreachable, registryCredentials, registryAnswer, registryOptions, registryFiles, serverCannotListen,
    ]
}
