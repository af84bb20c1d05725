// Codes of schemas, generation and ingest. Append at the end; never renumber. List each in `schemas` too.

extension DiagnosticCode {
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

    static let schemas: [DiagnosticCode] = [
        invalidSyntheticSetting, invalidSampleValue, unsuitableGenerator, unknownValueProvider,
        unknownGeneratedEventType, invalidTransition,
    ]
}
