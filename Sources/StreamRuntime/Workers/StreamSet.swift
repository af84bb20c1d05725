internal import DataPath
internal import PlatformModel
internal import PluginAPI

/// The derived streams of one input on one worker. The steps of a stream work once a batch, whoever reads it. Threads: one.
final class StreamSet {
    /// What a consumer gets of a batch.
    struct Source {
        /// Its rows are those of the input's batch.
        var batch: RecordBatch
        /// Those that there are; nil = all.
        var rows: Selection?
        /// Rows on which a step failed, also one of a stream before.
        var failed: [Int32] = []
    }

    /// Rows on which one step failed.
    struct Failure {
        /// The stream's position in the topology.
        var stream: Int
        /// The step's position in the stream.
        var step: Int
        /// Ascending.
        var rows: [Int32]
    }

    /// A stream's rows with the columns of its table.
    struct Table {
        var columns: [Int]
        var schema: BatchSchema
    }

    private final class Member {
        /// Its position in the topology.
        let stream: Int
        let parent: Member?
        /// Those that do something to rows, with their positions in the stream.
        let steps: [(position: Int, runner: any StepRunner)]
        let output: BatchSchema
        let table: Table?
        let rows = StepRows()
        /// Of the present batch, when it has been asked for.
        var source: Source?

        init(_ stream: DerivedStream, at position: Int, parent: Member?, input: BatchSchema) throws {
            self.stream = position
            self.parent = parent
            var schema = parent?.output ?? input
            var steps: [(Int, any StepRunner)] = []
            for (index, step) in stream.steps.enumerated() {
                guard let runner = try step.operation.makeRunner(input: schema) else { continue }
                schema = runner.output
                steps.append((index, runner))
            }
            self.steps = steps
            output = schema
            table = stream.table.map { table in
                Table(
                    columns: stream.columns.compactMap { schema.index(of: $0.spec.name) },
                    schema: BatchSchema(table.columns))
            }
        }
    }

    private var members: [String: Member] = [:]
    private var input: Source?

    init(of input: Topology.Input, in topology: Topology) throws {
        for position in input.streams {
            let stream = topology.streams[position]
            members[stream.name] = try Member(
                stream, at: position, parent: stream.parent.flatMap { members[$0] }, input: input.schema)
        }
    }

    /// The columns of a stream's batches: those of the input, then what its steps have added.
    subscript(name: String) -> (output: BatchSchema, table: Table?)? { members[name].map { ($0.output, $0.table) } }

    /// Begins a batch with the rows that may be counted; nil = all.
    func begin(_ batch: RecordBatch, _ eligible: Selection?) {
        guard !members.isEmpty else { return }
        input = Source(batch: batch, rows: eligible)
        for member in members.values { member.source = nil }
    }

    /// What a stream makes of the present batch; nil before there is one.
    ///
    /// - Parameter report: Called once a batch for each step that has failed on rows.
    func source(of name: String, report: (Failure) -> Void) -> Source? {
        members[name].flatMap { source(of: $0, report) }
    }

    private func source(of member: Member, _ report: (Failure) -> Void) -> Source? {
        if let source = member.source { return source }
        let before = member.parent.map { source(of: $0, report) } ?? input
        guard var source = before else { return nil }
        member.rows.begin(source.rows)
        for step in member.steps {
            let failedBefore = member.rows.failed.count
            source.batch = step.runner.run(source.batch, member.rows)
            let failed = member.rows.failed[failedBefore...]
            if !failed.isEmpty {
                report(Failure(stream: member.stream, step: step.position, rows: failed.sorted()))
            }
        }
        source.rows = member.rows.selected
        source.failed += member.rows.failed
        member.source = source
        return source
    }
}
