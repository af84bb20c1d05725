public import DataPath
public import Diagnostics

/// An operator plugin: one kind of step of a derived stream.
///
/// Order of calls: `validate` and ``bind(_:to:into:)`` when a domain is checked (pure: no file, no network) →
/// ``StepOperator/makeRunner(input:)``, once for each worker → ``StepRunner/run(_:_:)`` for each batch.
public protocol OperatorPlugin: Plugin {
    /// Binds a step's options to the columns that it gets; nil after a report with its place.
    func bind(
        _ options: OptionValues, to input: any StepScope, into diagnostics: inout Diagnostics
    ) -> (any StepOperator)?
}

/// A step, bound to its input. A value that is shared by all workers.
public protocol StepOperator: Sendable {
    /// Columns that the step adds, in order. Their names are new.
    var added: [ColumnSpec] { get }
    /// The columns that later steps and readers may name, in order; nil = those of before and ``added``.
    var kept: [String]? { get }
    /// The columns of its input that it reads.
    var reads: Set<String> { get }
    /// What decides which rows and values it gives: another text means another stream.
    var meaning: [String] { get }
    /// The step at work on batches of a schema, which has every column of ``reads``. Nil when it does nothing to rows.
    func makeRunner(input: BatchSchema) throws -> (any StepRunner)?
}

extension StepOperator {
    public var added: [ColumnSpec] { [] }
    public var kept: [String]? { nil }
}

/// A step at work. Threads: one at a time.
public protocol StepRunner: AnyObject {
    /// The columns of the batches that it gives: those of its input, then the added ones.
    var output: BatchSchema { get }
    /// The batch after the step, of as many rows as before, and in `rows` which of them go on.
    ///
    /// Columns of `batch` are passed on, not copied: they are valid until the next batch.
    func run(_ batch: RecordBatch, _ rows: StepRows) -> RecordBatch
}
