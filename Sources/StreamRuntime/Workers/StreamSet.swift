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

    /// A stream's rows with the columns of its table.
    struct Table {
        var columns: [Int]
        var schema: BatchSchema
    }

    private final class Member {
        let stream: DerivedStream
        let parent: Member?
        let steps: [any StepRunner]
        let output: BatchSchema
        let table: Table?
        let rows = StepRows()
        /// Of the present batch, when it has been asked for.
        var source: Source?

        init(_ stream: DerivedStream, parent: Member?, input: BatchSchema) throws {
            self.stream = stream
            self.parent = parent
            var schema = parent?.output ?? input
            var steps: [any StepRunner] = []
            for step in stream.steps {
                guard let runner = try step.makeRunner(input: schema) else { continue }
                schema = runner.output
                steps.append(runner)
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
        for stream in input.streams.map({ topology.streams[$0] }) {
            members[stream.name] = try Member(
                stream, parent: stream.parent.flatMap { members[$0] }, input: input.schema)
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
    /// - Parameter report: Called once a batch for each stream of which a step has failed on rows.
    func source(of name: String, report: (DerivedStream, [Int32]) -> Void) -> Source? {
        members[name].flatMap { source(of: $0, report) }
    }

    private func source(of member: Member, _ report: (DerivedStream, [Int32]) -> Void) -> Source? {
        if let source = member.source { return source }
        let before = member.parent.map { source(of: $0, report) } ?? input
        guard var source = before else { return nil }
        member.rows.begin(source.rows)
        for step in member.steps { source.batch = step.run(source.batch, member.rows) }
        source.rows = member.rows.selected
        let failed = member.rows.failed
        if !failed.isEmpty {
            report(member.stream, failed.sorted())
            source.failed += failed
        }
        member.source = source
        return source
    }
}
