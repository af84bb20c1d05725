// Codes of YAML, layers, variables and secrets. Append at the end; never renumber. List each in `configuration` too.

extension DiagnosticCode {
    // YAML.
    public static let yamlSyntax = DiagnosticCode("SP1001", "A text is not valid YAML.")
    public static let tabIndentation = DiagnosticCode("SP1002", "A tab stands in the indentation of a YAML file.")
    public static let secondDocument = DiagnosticCode("SP1003", "A YAML file holds more than one document.")
    public static let notUTF8 = DiagnosticCode("SP1004", "A file is not UTF-8 text.")
    public static let forbiddenCharacter = DiagnosticCode(
        "SP1005", "A file holds a character that YAML does not allow.")
    public static let duplicateKey = DiagnosticCode("SP1006", "A key stands twice in the same map.")
    public static let unknownAnchor = DiagnosticCode(
        "SP1007", "An alias names an anchor that is not defined before it.")
    public static let cyclicAlias = DiagnosticCode("SP1008", "An alias stands inside the value that it names.")
    public static let aliasBomb = DiagnosticCode("SP1009", "Aliases expand to more nodes than are accepted.")
    public static let tooDeep = DiagnosticCode("SP1010", "Maps and lists are nested deeper than is accepted.")
    public static let fileTooLarge = DiagnosticCode("SP1011", "A file is larger than is accepted.")
    public static let invalidKey = DiagnosticCode("SP1012", "A key of a map is a list, a map or empty.")
    public static let unknownTag = DiagnosticCode("SP1013", "A YAML tag is not one of those that are accepted.")
    public static let tagMismatch = DiagnosticCode("SP1014", "A value does not have the type that its YAML tag says.")
    public static let invalidMergeKey = DiagnosticCode("SP1015", "A merge key '<<' takes a map or a list of maps.")

    // Variables and secrets.
    public static let malformedVariable = DiagnosticCode("SP1021", "A '$<…>' or '${…}' variable is malformed.")
    public static let missingVariable = DiagnosticCode("SP1022", "An environment variable is not set.")
    public static let missingSecret = DiagnosticCode("SP1023", "A secret is not known to the secret backend.")
    public static let secretBackendFailed = DiagnosticCode("SP1024", "A secret could not be read.")

    // Files and layers.
    public static let noProject = DiagnosticCode("SP1031", "No parent folder holds config/platform.yaml.")
    public static let fileNotFound = DiagnosticCode("SP1032", "A file that is needed is not there.")
    public static let fileUnreadable = DiagnosticCode("SP1033", "A file cannot be read.")
    public static let unknownEnvironment = DiagnosticCode("SP1034", "No environment file has the given name.")
    public static let unknownDomain = DiagnosticCode("SP1035", "No domain has the given name.")
    public static let noDomain = DiagnosticCode("SP1036", "No domain was given and there is no default.")
    public static let invalidOverride = DiagnosticCode(
        "SP1037", "A '--set' argument is malformed or cannot be applied.")
    public static let layerIsNoMap = DiagnosticCode("SP1038", "A configuration file does not hold a map.")
    public static let unknownConfigurationKey = DiagnosticCode("SP1039", "A configuration key to explain is not set.")
    public static let ambiguousFile = DiagnosticCode("SP1040", "Two files could be meant by one name.")
    public static let invalidDotenv = DiagnosticCode("SP1041", "A line of a dotenv file is malformed.")

    static let configuration: [DiagnosticCode] = [
        yamlSyntax, tabIndentation, secondDocument, notUTF8, forbiddenCharacter, duplicateKey, unknownAnchor,
        cyclicAlias, aliasBomb, tooDeep, fileTooLarge, invalidKey, unknownTag, tagMismatch, invalidMergeKey,
        malformedVariable, missingVariable, missingSecret, secretBackendFailed, noProject, fileNotFound,
        fileUnreadable, unknownEnvironment, unknownDomain, noDomain, invalidOverride, layerIsNoMap,
        unknownConfigurationKey, ambiguousFile, invalidDotenv,
    ]
}
