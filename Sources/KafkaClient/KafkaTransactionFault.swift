public import Diagnostics

/// How an attempt to complete a transaction ended without success.
public enum KafkaTransactionFault: Error, Sendable {
    /// None of the transaction's records is there, and all of them may be sent again. The broker refused the batches of the
    /// records with the tags `tooLarge` for their size.
    case aborted(PipelineError, tooLarge: [Int])
    /// Without transactions: the records with these tags are not there, and all others are.
    case notWritten(PipelineError, tags: [Int], tooLarge: [Int])
    /// The outcome is open, and ``KafkaTransactionalProducer/commit()`` goes on where it is.
    case undecided(PipelineError)
    /// The producer cannot be used any more. Whether a commit that had begun came to its end is not known.
    case lost(PipelineError)
}
