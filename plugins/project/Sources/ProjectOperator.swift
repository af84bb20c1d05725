internal import ConfigTree
internal import DataPath
public import Diagnostics
public import PluginAPI

/// The step `project`: says which columns later steps and readers see, and in which order.
public struct ProjectOperator: OperatorPlugin {
    public static let spec = PluginSpec(
        kind: .operation, name: "project",
        summary: "Says which columns go on, and in which order.",
        options: [
            OptionSpec(
                "project", .columns, isRequired: true, doc: "The columns that go on; all others are left out.",
                example: "[event_id, timestamp, user_id, price_with_tax]")
        ], isInline: true)

    public init() {}

    public func bind(
        _ options: OptionValues, to input: any StepScope, into diagnostics: inout Diagnostics
    ) -> (any StepOperator)? {
        guard let items = options.tree("project")?.sequence else { return nil }
        var columns: [String] = []
        var isComplete = true
        for item in items {
            guard let column = input.column(item, into: &diagnostics) else {
                isComplete = false
                continue
            }
            if columns.contains(column) {
                diagnostics.error(.duplicateName, "column '\(column)' is listed twice", at: item.location)
                isComplete = false
            }
            columns.append(column)
        }
        return isComplete ? Step(columns: columns) : nil
    }

    private struct Step: StepOperator {
        var columns: [String]

        var kept: [String]? { columns }
        var reads: Set<String> { [] }
        var meaning: [String] { ["project"] + columns }

        /// Columns that nobody names are not decoded: there is nothing to do to a batch.
        func makeRunner(input: BatchSchema) -> (any StepRunner)? { nil }
    }
}
