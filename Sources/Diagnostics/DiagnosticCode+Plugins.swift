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
    public static let vaultUnreachable = DiagnosticCode("SP4200", "The vault cannot be reached.")
    public static let vaultTimeout = DiagnosticCode("SP4201", "The vault does not answer in time.")
    public static let vaultTLS = DiagnosticCode("SP4202", "There is no secure connection to the vault.")
    public static let vaultSealed = DiagnosticCode("SP4203", "The vault is sealed or not initialised.")
    public static let vaultUnavailable = DiagnosticCode(
        "SP4204", "The vault cannot answer now, or this node of it does not.")
    public static let vaultMalformedAnswer = DiagnosticCode(
        "SP4205", "What answers is no vault, or the answer is not whole.")
    public static let vaultLoginRefused = DiagnosticCode("SP4206", "The vault refuses a login.")
    public static let vaultTokenInvalid = DiagnosticCode(
        "SP4207", "The vault does not accept a token: it is wrong, revoked or expired.")
    public static let vaultForbidden = DiagnosticCode("SP4208", "The vault does not allow to read a secret.")
    public static let vaultPathMissing = DiagnosticCode("SP4209", "The vault has nothing at the path of a secret.")
    public static let vaultFieldMissing = DiagnosticCode(
        "SP4210", "A path of the vault does not have the field of a secret.")
    public static let vaultFieldNotText = DiagnosticCode("SP4211", "A field of the vault is not a value.")
    public static let vaultMountMissing = DiagnosticCode(
        "SP4212", "The vault does not have the mount or the namespace.")
    public static let vaultOptions = DiagnosticCode("SP4213", "The vault's options do not fit together.")
    public static let secretNeedsSecret = DiagnosticCode(
        "SP4214", "An option of a secret backend is itself to come from a secret backend.")

    static let plugins: [DiagnosticCode] = [
        secretFileMissing, secretFileUnreadable, secretFileWorldReadable, secretFileInvalid, invalidSecretKey,
        unknownPlugin, pluginConflict, uncheckedPluginBlock, brokerRefusesTopic, pluginMissing,
        vaultUnreachable, vaultTimeout, vaultTLS, vaultSealed, vaultUnavailable, vaultMalformedAnswer,
        vaultLoginRefused, vaultTokenInvalid, vaultForbidden, vaultPathMissing, vaultFieldMissing,
        vaultFieldNotText, vaultMountMissing, vaultOptions, secretNeedsSecret,
    ]
}
