internal import DataPath
public import Diagnostics
public import PluginAPI

/// The step `filter`: rows for which a condition is true go on; those for which it is false or null do not.
public struct FilterOperator: OperatorPlugin {
    public static let spec = PluginSpec(
        kind: .operation, name: "filter",
        summary: "Rows for which a condition is true go on; false and null stop a row.",
        options: [
            OptionSpec(
                "filter", .condition, isRequired: true,
                doc: "The condition, as SQL text or as a map of field, operator and value; a list of them is an `and`.",
                example: "total_amount > 100 and currency = 'USD'")
        ], isInline: true)

    public init() {}

    public func bind(
        _ options: OptionValues, to input: any StepScope, into diagnostics: inout Diagnostics
    ) -> (any StepOperator)? {
        options.tree("filter").flatMap { input.predicate($0, into: &diagnostics) }.map(Step.init)
    }

    private struct Step: StepOperator {
        var condition: StepExpression

        var reads: Set<String> { Set(condition.columns) }
        var meaning: [String] { ["filter", condition.text] }

        func makeRunner(input: BatchSchema) throws -> (any StepRunner)? {
            Runner(condition: try BoundProgram(condition.program, schema: input), output: input)
        }
    }

    private final class Runner: StepRunner {
        let output: BatchSchema
        private let condition: BoundProgram

        init(condition: BoundProgram, output: BatchSchema) {
            self.condition = condition
            self.output = output
        }

        func run(_ batch: RecordBatch, _ rows: StepRows) -> RecordBatch {
            rows.refine(condition, batch)
            return batch
        }
    }
}
