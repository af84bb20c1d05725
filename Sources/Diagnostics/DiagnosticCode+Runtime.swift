// Codes of the runtime and the event log. Append at the end; never renumber. List each in `runtime` too.

extension DiagnosticCode {
    public static let logNotAccessible = DiagnosticCode(
        "SP6001", "The event log's folder or a file in it cannot be opened.")
    public static let logCorrupted = DiagnosticCode("SP6002", "A file of the event log is damaged.")
    public static let logFull = DiagnosticCode(
        "SP6003", "The event log cannot grow: disk, quota or file size limit reached.")
    public static let logFailed = DiagnosticCode(
        "SP6004", "The operating system failed a read or write of the event log.")
    public static let unknownTopic = DiagnosticCode("SP6005", "There is no topic of that name.")
    public static let unknownPartition = DiagnosticCode("SP6006", "The topic has no partition of that number.")
    public static let topicExists = DiagnosticCode("SP6007", "A topic of that name exists already.")
    public static let invalidTopicName = DiagnosticCode(
        "SP6008", "A topic or group name has characters or a length that are not allowed.")
    public static let invalidTopicConfig = DiagnosticCode(
        "SP6009", "A topic's partitions or configuration cannot be as asked.")
    public static let offsetOutOfRange = DiagnosticCode("SP6010", "The offset is not in the partition, or no longer.")
    public static let logRecordTooLarge = DiagnosticCode("SP6011", "A record is larger than a record batch can be.")
    public static let logFormatUnknown = DiagnosticCode(
        "SP6012", "The folder is not an event log, or one of a newer version.")
    public static let logClosed = DiagnosticCode("SP6013", "The event log was used after it had been closed.")
    public static let runnerBusy = DiagnosticCode("SP6101", "Another process already runs this domain here.")
    public static let checkpointUnreadable = DiagnosticCode("SP6102", "A checkpoint cannot be read by this version.")
    public static let checkpointStorage = DiagnosticCode("SP6103", "The checkpoint folder cannot be used.")
    public static let notApplied = DiagnosticCode("SP6104", "The live system differs from the domain: apply it first.")
    public static let undecodable = DiagnosticCode("SP6105", "A record cannot be decoded.")
    public static let unknownSchema = DiagnosticCode("SP6106", "A record's schema id is not known.")
    public static let futureEvent = DiagnosticCode("SP6107", "An event's time is too far in the future.")
    public static let aggregateOverflow = DiagnosticCode("SP6108", "An exact sum does not fit its result type.")
    public static let sinkFailed = DiagnosticCode("SP6109", "A sink could not take rows.")
    public static let expressionFailed = DiagnosticCode("SP6110", "An expression failed on a record.")

    public static let stopTimedOut = DiagnosticCode("SP6111", "A graceful stop took longer than runtime.stop_timeout.")
    public static let monitoringPort = DiagnosticCode("SP6130", "The monitoring endpoint cannot listen on its address.")

    public static let untimedEvent = DiagnosticCode(
        "SP6120", "An event's time is so far from the epoch that it belongs to no window.")
    public static let measureUnsupported = DiagnosticCode("SP6121", "An aggregation asks for what is not computed.")
    public static let windowRefused = DiagnosticCode("SP6122", "A window or a time bound is not one that is computed.")
    public static let inputColumnMissing = DiagnosticCode("SP6123", "An aggregation's input lacks a column.")
    public static let inputLayoutWrong = DiagnosticCode(
        "SP6124", "A column is not laid out as an aggregation reads it.")
    public static let stateOfOther = DiagnosticCode("SP6125", "Saved state belongs to another aggregation or version.")
    public static let stateDamaged = DiagnosticCode("SP6126", "Saved state of an aggregation is damaged.")
    public static let emptyMessage = DiagnosticCode("SP6140", "A JSON message is empty.")
    public static let eventTimeReadOnly = DiagnosticCode(
        "SP6141", "Events cannot be written with their time in the format of their topic.")
    public static let wrongUse = DiagnosticCode("SP6150", "The command line is not understood.")
    public static let replayTooLate = DiagnosticCode(
        "SP6170", "A replayed record belongs to a closed window that cannot be counted anew.")
    public static let tooManyDeadLetters = DiagnosticCode(
        "SP6171", "A larger share of records than dead_letters.max_share could not be used.")

    public static let reloadInvalid = DiagnosticCode(
        "SP6180", "A changed configuration has errors; the run goes on with the one before.")
    public static let reloadRefused = DiagnosticCode(
        "SP6181", "A changed configuration differs in what cannot change while a run lives.")
    public static let reloadFailed = DiagnosticCode(
        "SP6182", "A changed configuration could not be taken over; the run goes on with the one before.")
    public static let memoryLimit = DiagnosticCode(
        "SP6190", "The state of open windows needs more memory than runtime.memory_limit.")

    public static let writerReplaced = DiagnosticCode(
        "SP6200", "A newer run of the domain has taken over: this one may not write any more.")
    public static let storeBehindCheckpoint = DiagnosticCode(
        "SP6201", "A store of results lacks rows that the checkpoint counts as written.")

    static let runtime: [DiagnosticCode] = [
        logNotAccessible, logCorrupted, logFull, logFailed, unknownTopic, unknownPartition, topicExists,
        invalidTopicName, invalidTopicConfig, offsetOutOfRange, logRecordTooLarge, logFormatUnknown, logClosed,
        runnerBusy, checkpointUnreadable, checkpointStorage, notApplied, undecodable, unknownSchema, futureEvent,
        aggregateOverflow, sinkFailed, expressionFailed, stopTimedOut, monitoringPort,
        untimedEvent, measureUnsupported, windowRefused, inputColumnMissing, inputLayoutWrong, stateOfOther,
        stateDamaged, emptyMessage, eventTimeReadOnly, wrongUse, replayTooLate, tooManyDeadLetters,
        reloadInvalid, reloadRefused, reloadFailed, memoryLimit, writerReplaced,
        storeBehindCheckpoint,
    ]
}
