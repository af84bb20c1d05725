// Codes of the runtime and the event log. Append at the end; never renumber. List each in `runtime` too.

extension DiagnosticCode {
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

    static let runtime: [DiagnosticCode] = [
        runnerBusy, checkpointUnreadable, checkpointStorage, notApplied, undecodable, unknownSchema, futureEvent,
        aggregateOverflow, sinkFailed, expressionFailed,
    ]
}
