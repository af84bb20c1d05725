// Codes of the domain model and expressions. Append at the end; never renumber. List each in `model` too.

extension DiagnosticCode {
    public static let unknownKey = DiagnosticCode("SP2001", "A key is not one that is known at this place.")
    public static let missingKey = DiagnosticCode("SP2002", "A required key is missing.")
    public static let wrongType = DiagnosticCode("SP2003", "A value has another type than the key takes.")
    public static let invalidValue = DiagnosticCode("SP2004", "A value is not one of those that the key takes.")
    public static let notSupportedYet = DiagnosticCode("SP2005", "Described, but not supported by this version yet.")
    public static let invalidExpression = DiagnosticCode("SP2301", "The text of an expression does not parse.")
    public static let unknownReference = DiagnosticCode("SP2302", "An expression names a field that is not there.")
    public static let expressionType = DiagnosticCode("SP2303", "A part of an expression has a type that does not fit.")
    public static let unknownFunction = DiagnosticCode("SP2304", "An expression calls a function that does not exist.")
    public static let expressionOverflow = DiagnosticCode("SP2305", "A constant expression has no value in its type.")
    public static let invalidFilter = DiagnosticCode("SP2306", "The map form of a filter is not complete.")

    static let model: [DiagnosticCode] = [unknownKey, missingKey, wrongType, invalidValue, notSupportedYet]
        + [
            invalidExpression, unknownReference, expressionType, unknownFunction, expressionOverflow, invalidFilter,
        ]
}
