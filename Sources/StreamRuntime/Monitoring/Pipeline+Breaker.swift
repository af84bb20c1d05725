internal import Diagnostics
internal import PluginAPI
internal import Synchronization

extension Pipeline {
    /// How many records were read and how many were bad, as of now.
    func recordSample(at now: Int64) -> DeadLetterBreaker.Sample {
        DeadLetterBreaker.Sample(
            time: now, total: status.eventsRead.load(ordering: .relaxed),
            bad: status.badRecords.load(ordering: .relaxed), byCode: deadLetterTally.totals)
    }

    /// The same of rows that were offered to sinks.
    func rowSample(at now: Int64) -> DeadLetterBreaker.Sample {
        let refused = status.rowsRefused.load(ordering: .relaxed)
        return DeadLetterBreaker.Sample(
            time: now, total: status.rowsWritten.load(ordering: .relaxed) + refused, bad: refused,
            byCode: deadLetterTally.totals)
    }

    /// What the breaker says to a person.
    func halt(_ verdict: DeadLetterBreaker.Verdict, of what: String) -> PipelineError {
        func percent(_ part: Int, _ whole: Int) -> String {
            let tenths = whole == 0 ? 0 : part * 1000 / whole
            return "\(tenths / 10).\(tenths % 10) %"
        }
        let cause = deadLetterTally.reason(verdict.code).map { ": \($0)" } ?? ""
        return PipelineError(
            .tooManyDeadLetters,
            "\(verdict.bad) of the last \(verdict.total) \(what) (\(percent(verdict.bad, verdict.total))) could not be "
                + "used, more than dead_letters.max_share allows; the commonest cause is \(verdict.code), of "
                + "\(verdict.codeCount)\(cause)",
            hint:
                "look at them with `streamplat dlq list` and `dlq show`, mend the cause, then `streamplat dlq replay`; what "
                + "was read is counted, and the next run goes on behind it",
            component: DeadLetter.topic(prefix: parts.topicPrefix))
    }
}
