// Codes of the domain model and expressions. Append at the end; never renumber. List each in `model` too.

extension DiagnosticCode {
    public static let unknownKey = DiagnosticCode("SP2001", "A key is not one that is known at this place.")
    public static let missingKey = DiagnosticCode("SP2002", "A required key is missing.")
    public static let wrongType = DiagnosticCode("SP2003", "A value has another type than the key takes.")
    public static let invalidValue = DiagnosticCode("SP2004", "A value is not one of those that the key takes.")
    public static let notSupportedYet = DiagnosticCode("SP2005", "Described, but not supported by this version yet.")
    public static let invalidName = DiagnosticCode("SP2100", "A name has characters that a name cannot have.")
    public static let duplicateName = DiagnosticCode("SP2101", "Two things that must be told apart have one name.")
    public static let reservedName = DiagnosticCode("SP2102", "A name is taken by the platform.")
    public static let unknownFieldType = DiagnosticCode("SP2103", "A field has a type that is not known.")
    public static let invalidFieldType = DiagnosticCode("SP2104", "A field's type is known but badly formed.")
    public static let cyclicType = DiagnosticCode("SP2105", "A named type contains itself.")
    public static let fieldDisagreement = DiagnosticCode(
        "SP2106", "A field has different types in two event types of one domain.")
    public static let invalidDefault = DiagnosticCode("SP2107", "A default does not fit the type of its field.")
    public static let valueDoesNotFit = DiagnosticCode("SP2108", "A sample value does not fit the type of its field.")
    public static let moneySuggested = DiagnosticCode(
        "SP2109", "A metric's name suggests money but its type is an inexact double.")
    public static let topicConflict = DiagnosticCode("SP2110", "Two event types would own one topic.")
    public static let unknownField = DiagnosticCode("SP2111", "A reference names a field that is not there.")
    public static let unknownEventType = DiagnosticCode("SP2112", "A reference names an event type that is not there.")
    public static let unknownSink = DiagnosticCode("SP2113", "A reference names a sink that is not there.")
    public static let unknownAggregation = DiagnosticCode(
        "SP2114", "A reference names an aggregation, or a result column, that is not there.")
    public static let measureForm = DiagnosticCode(
        "SP2115", "An aggregation needs either type and field, or measures.")
    public static let measureType = DiagnosticCode("SP2116", "A measure cannot be computed over a field of this type.")
    public static let invalidWindow = DiagnosticCode("SP2117", "A window's duration, slide or origin makes no window.")
    public static let noInput = DiagnosticCode("SP2118", "No event type has every field that an aggregation uses.")
    public static let severalInputs = DiagnosticCode(
        "SP2119", "An aggregation without 'from' reads several event types.")
    public static let invalidGroup = DiagnosticCode("SP2120", "Rows cannot be grouped by a field of this type.")
    public static let invalidProbability = DiagnosticCode(
        "SP2121", "A share or probability is outside 0 to 1, or several add up to more than 1.")
    public static let invalidGenerator = DiagnosticCode("SP2122", "A generator does not fit its field.")
    public static let invalidMessageKey = DiagnosticCode("SP2123", "A field cannot be a message key.")
    public static let conflictingKeys = DiagnosticCode("SP2124", "Two keys say the same thing or exclude each other.")
    public static let sessionUpdates = DiagnosticCode(
        "SP2180", "Updates of session windows go to a sink that cannot replace rows.")
    public static let sinkNotShared = DiagnosticCode(
        "SP2181", "Several processes would write to a sink that only one can.")
    public static let invalidExpression = DiagnosticCode("SP2301", "The text of an expression does not parse.")
    public static let unknownReference = DiagnosticCode("SP2302", "An expression names a field that is not there.")
    public static let expressionType = DiagnosticCode("SP2303", "A part of an expression has a type that does not fit.")
    public static let unknownFunction = DiagnosticCode("SP2304", "An expression calls a function that does not exist.")
    public static let expressionOverflow = DiagnosticCode("SP2305", "A constant expression has no value in its type.")
    public static let invalidFilter = DiagnosticCode("SP2306", "The map form of a filter is not complete.")
    public static let jsonMessagesOnly = DiagnosticCode(
        "SP2307", "A key that describes JSON messages stands at an event type in Avro.")
    public static let invalidEventTime = DiagnosticCode(
        "SP2308", "The place of an event's time or id in JSON messages cannot be used.")
    public static let payloadNameConflict = DiagnosticCode(
        "SP2309", "Two values of an event have one name in its JSON messages.")
    public static let streamOrder = DiagnosticCode("SP2200", "A stream reads itself or a stream that comes after it.")
    public static let invalidStep = DiagnosticCode("SP2201", "A step of a stream is not one operator with its value.")
    public static let columnTaken = DiagnosticCode("SP2202", "A derived column has the name of one that is there.")
    public static let streamWithoutKey = DiagnosticCode(
        "SP2203", "A stream that is written to a table leaves out the table's key, event_id.")
    public static let repeatedInput = DiagnosticCode(
        "SP2204", "An aggregation reads the events of one type by two ways.")
    public static let inputDisagreement = DiagnosticCode(
        "SP2205", "A column has different types in two inputs of an aggregation.")
    public static let unreadStream = DiagnosticCode(
        "SP2206", "A stream has no sink, and nothing that is computed reads it.")

    static let model: [DiagnosticCode] = [
        unknownKey, missingKey, wrongType, invalidValue, notSupportedYet, invalidName, duplicateName, reservedName,
        unknownFieldType, invalidFieldType, cyclicType, fieldDisagreement, invalidDefault, valueDoesNotFit,
        moneySuggested, topicConflict, unknownField, unknownEventType, unknownSink, unknownAggregation, measureForm,
        measureType, invalidWindow, noInput, severalInputs, invalidGroup, invalidProbability, invalidGenerator,
        invalidMessageKey, conflictingKeys, sessionUpdates, sinkNotShared, invalidExpression, unknownReference,
        expressionType,
        unknownFunction,
        expressionOverflow, invalidFilter, jsonMessagesOnly, invalidEventTime, payloadNameConflict,
        streamOrder, invalidStep, columnTaken, streamWithoutKey, repeatedInput, inputDisagreement,
        unreadStream,
    ]
}
