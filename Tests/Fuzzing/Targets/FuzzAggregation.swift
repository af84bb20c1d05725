import DataPath

/// Every kind of group and of measure, and by a number each kind of window.
enum FuzzAggregation {
    static func spec(_ variant: UInt8) -> AggregationSpec {
        func measure(
            _ name: String, _ function: AggregateFunction, _ input: LogicalType?, _ result: LogicalType
        ) -> MeasureSpec {
            MeasureSpec(
                name: name, function: function, column: input.map { _ in name }, inputType: input, resultType: result)
        }
        let decimal = LogicalType.decimal(precision: 10, scale: 2)
        let window: WindowSpec =
            switch variant % 4 {
            case 0: WindowSpec(durationMilliseconds: 60_000)
            case 1: WindowSpec(durationMilliseconds: 60_000, slideMilliseconds: 20_000)
            case 2: .session(gapMilliseconds: 60_000)
            default: .cumulate(durationMilliseconds: 60_000, stepMilliseconds: 20_000)
            }
        return AggregationSpec(
            name: "fuzz", window: window,
            groups: [
                ColumnSpec("s", .string, isNullable: true), ColumnSpec("l", .long, isNullable: true),
                ColumnSpec("b", .boolean, isNullable: true), ColumnSpec("d", .double, isNullable: true),
                ColumnSpec("m", decimal, isNullable: true),
            ],
            measures: [
                measure("n", .count, nil, .long), measure("u", .countDistinct, .string, .long),
                measure("total", .sum, .long, .long),
                measure("money", .sum, decimal, .decimal(precision: 38, scale: 2)),
                measure("mean", .avg, decimal, .decimal(precision: 14, scale: 6)), measure("x", .sum, .double, .double),
                measure("y", .avg, .double, .double), measure("low", .min, .long, .long),
                measure("high", .max, .double, .double), measure("first", .min, .string, .string),
                measure("best", .max, decimal, decimal),
            ],
            watermarkDelayMilliseconds: 5_000, allowedLatenessMilliseconds: 10_000)
    }
}
