public import Diagnostics

/// A run that wants to be the only writer of a domain's rows in a store.
public struct WriterClaim: Sendable {
    public var domain: String
    /// The environment that the run was started in; stores keep it for people.
    public var environment: String
    /// Tells this run from every other one: the same in all claims of a run, and of all processes that share one.
    public var writer: String
    /// The lowest epoch that will do.
    public var epoch: UInt64
    /// What the run writes to this store.
    public var tables: [TableDefinition]

    public init(domain: String, environment: String, writer: String, epoch: UInt64, tables: [TableDefinition]) {
        self.domain = domain
        self.environment = environment
        self.writer = writer
        self.epoch = epoch
        self.tables = tables
    }
}

/// What a store answers to a ``WriterClaim``.
public struct WriterStanding: Sendable {
    /// The epoch that the store holds for this run from now on: rows of lower ones are refused, or lose.
    public var epoch: UInt64
    /// The newest checkpoint whose rows the store holds; nil when it does not keep that.
    public var committed: CheckpointNumber?

    public init(epoch: UInt64, committed: CheckpointNumber? = nil) {
        self.epoch = epoch
        self.committed = committed
    }
}

/// The place of a checkpoint among all of a domain: by epoch, then by sequence.
public struct CheckpointNumber: Comparable, Sendable {
    public var epoch: UInt64
    public var sequence: UInt64

    /// Before every checkpoint.
    public static let none = CheckpointNumber(epoch: 0, sequence: 0)

    public init(epoch: UInt64, sequence: UInt64) {
        self.epoch = epoch
        self.sequence = sequence
    }

    public static func < (one: CheckpointNumber, other: CheckpointNumber) -> Bool {
        (one.epoch, one.sequence) < (other.epoch, other.sequence)
    }
}

/// The checkpoint that is about to be written: every row from before it has been given to the sink.
public struct CheckpointMark: Sendable {
    public var number: CheckpointNumber
    /// The next offset of every partition that the process reads, by aggregation and topic, as a JSON object:
    /// `{"revenue":{"events.purchase":{"0":42}}}`.
    public var positions: String

    public init(number: CheckpointNumber, positions: String) {
        self.number = number
        self.positions = positions
    }
}

extension WriterClaim {
    /// What a run of epoch `own` fails with when the store has `newer`, or nil when it has no epoch of the domain any more.
    public func replaced(own: UInt64, by newer: UInt64?, component: String) -> PipelineError {
        PipelineError(
            .writerReplaced,
            newer.map {
                "another run or an `apply` of domain '\(domain)' took over: it has epoch \($0), this run \(own)"
            }
                ?? "the store no longer knows who may write domain '\(domain)': its table of writers was emptied",
            hint: "nothing is lost: what this run could not write, the newer one counts; one run at a time may write a "
                + "domain's tables", component: component)
    }
}
