// Codes of plugins. Append at the end; never renumber. List each in `plugins` too.

extension DiagnosticCode {
    public static let unknownPlugin = DiagnosticCode("SP4020", "A 'type' names a plugin that is not built in.")
    public static let pluginConflict = DiagnosticCode("SP4021", "Two plugins of one kind have one name.")
    public static let uncheckedPluginBlock = DiagnosticCode(
        "SP4022", "The options of a plugin that is not built in were not checked.")

    static let plugins: [DiagnosticCode] = [unknownPlugin, pluginConflict, uncheckedPluginBlock]
}
