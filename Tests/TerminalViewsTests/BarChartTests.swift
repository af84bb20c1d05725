import PluginAPI
import Testing

@testable import TerminalViews

@Suite("Bar charts")
struct BarChartTests {
    @Test("bars are scaled to the largest value, in eighths of a cell")
    func positive() {
        #expect(
            BarChart.render(labels: ["a", "bb", "c"], values: [16, 5, 0], title: "events", width: 24, unicode: true)
                == """
                events
                a   16 ▕███████████████
                bb   5 ▕████▊
                c    0 ▕

                """)
    }

    @Test("without UTF-8 bars are number signs")
    func ascii() {
        #expect(
            BarChart.render(labels: ["a", "b"], values: [10, 5], title: "t", width: 17, unicode: false)
                == "t\na  10 |#########\nb   5 |#####\n")
    }

    @Test("negative values grow to the left of an axis")
    func negative() {
        #expect(
            BarChart.render(labels: ["a", "b"], values: [-5, 5], title: "t", width: 18, unicode: true) == """
                t
                a  -5 █████│
                b   5      │█████

                """)
    }

    @Test("all negative values have their axis at the right end")
    func onlyNegative() {
        let text = BarChart.render(labels: ["a"], values: [-4], title: "t", width: 18, unicode: false)
        #expect(text == "t\na  -4 ##########|\n")
    }

    @Test("all zero, missing labels, null and no values at all are drawn without a crash")
    func edges() {
        #expect(BarChart.render(labels: [], values: [0], title: "t", width: 5, unicode: false) == "t\n  0 |\n")
        #expect(
            BarChart.render(labels: ["x"], values: [.nan], title: "t", width: 20, unicode: false) == "t\nx  NULL\n")
        #expect(BarChart.render(labels: [], values: [], title: "t", width: 20) == "t\n(nothing to draw)\n")
        let huge = Double.greatestFiniteMagnitude
        #expect(
            BarChart.render(labels: ["x", "y"], values: [huge, -huge], title: "t", width: 40, unicode: false)
                .contains("#"))
    }

    @Test("the chart of a result takes its labels from the text columns")
    func series() throws {
        let result = QueryResult(
            columns: ["start", "n", "share", "device"],
            rows: [
                [.text("10:00"), .integer(2), .double(0.5), .text("web")],
                [.text("10:05"), .integer(3), .null, .text("app")],
            ])
        let series = try ChartSeries(result, column: "n")
        #expect(series.labels == ["10:00 web", "10:05 app"])
        #expect(series.values == [2, 3])
        #expect(try ChartSeries(result, column: "share").values[1].isNaN)
        #expect(throws: ChartSeries.Failure.unknownColumn("m", columns: result.columns)) {
            try ChartSeries(result, column: "m")
        }
        #expect(throws: ChartSeries.Failure.notANumber(column: "device", row: 0)) {
            try ChartSeries(result, column: "device")
        }
    }
}
