internal import ConfigTree
internal import DataPath
public import Diagnostics
public import PluginAPI

/// The step `derive`: adds columns that are computed from others, also from those that stand before them in the same step.
public struct DeriveOperator: OperatorPlugin {
    public static let spec = PluginSpec(
        kind: .operation, name: "derive",
        summary: "Adds columns that are computed from others.",
        options: [
            OptionSpec(
                "derive", .expressions, isRequired: true,
                doc: "The new columns' names, each with an expression, which may also name the columns before it.",
                example: #"{ price_with_tax: "total_amount * 1.2", order_day: "date_trunc('day', timestamp)" }"#)
        ], isInline: true)

    public init() {}

    public func bind(
        _ options: OptionValues, to input: any StepScope, into diagnostics: inout Diagnostics
    ) -> (any StepOperator)? {
        guard let entries = options.tree("derive")?.mapping?.entries else { return nil }
        var scope = input
        var columns: [Column] = []
        var isComplete = true
        for entry in entries {
            guard let expression = scope.expression(entry.node, into: &diagnostics) else {
                isComplete = false
                continue
            }
            let spec = ColumnSpec(entry.key, expression.type, isNullable: expression.isNullable)
            guard let larger = scope.adding(spec, at: entry.keyLocation, into: &diagnostics) else {
                isComplete = false
                continue
            }
            scope = larger
            columns.append(Column(spec: spec, expression: expression))
        }
        return isComplete ? Step(columns: columns) : nil
    }

    private struct Column {
        var spec: ColumnSpec
        var expression: StepExpression
    }

    private struct Step: StepOperator {
        var columns: [Column]

        var added: [ColumnSpec] { columns.map(\.spec) }
        var reads: Set<String> { Set(columns.flatMap(\.expression.columns)).subtracting(columns.map(\.spec.name)) }
        var meaning: [String] {
            ["derive"] + columns.flatMap { ["\($0.spec.name) \($0.spec.type)", $0.expression.text] }
        }

        func makeRunner(input: BatchSchema) throws -> (any StepRunner)? {
            var schema = input
            var programs: [BoundProgram] = []
            var schemas: [BatchSchema] = []
            for column in columns {
                programs.append(try BoundProgram(column.expression.program, schema: schema))
                schema.columns.append(column.spec)
                schemas.append(schema)
            }
            return Runner(programs, schemas)
        }
    }

    private final class Runner: StepRunner {
        private let programs: [BoundProgram]
        /// After each program.
        private let schemas: [BatchSchema]

        init(_ programs: [BoundProgram], _ schemas: [BatchSchema]) {
            self.programs = programs
            self.schemas = schemas
        }

        var output: BatchSchema { schemas[schemas.count - 1] }

        func run(_ batch: RecordBatch, _ rows: StepRows) -> RecordBatch {
            var batch = batch
            for (program, schema) in zip(programs, schemas) {
                // All rows at once: what it costs to leave some out is more than what it saves.
                let values = program.evaluate(batch)
                rows.fail(program.errorRows, of: batch.rowCount)
                batch = RecordBatch(schema: schema, columns: batch.columns + [values], rowCount: batch.rowCount)
            }
            return batch
        }
    }
}
