// Codes of the domain model and expressions. Append at the end; never renumber. List each in `model` too.

extension DiagnosticCode {
    public static let unknownKey = DiagnosticCode("SP2001", "A key is not one that is known at this place.")
    public static let missingKey = DiagnosticCode("SP2002", "A required key is missing.")
    public static let wrongType = DiagnosticCode("SP2003", "A value has another type than the key takes.")
    public static let invalidValue = DiagnosticCode("SP2004", "A value is not one of those that the key takes.")
    public static let notSupportedYet = DiagnosticCode("SP2005", "Described, but not supported by this version yet.")

    static let model: [DiagnosticCode] = [unknownKey, missingKey, wrongType, invalidValue, notSupportedYet]
}
