import DataPath
import Expressions
import Foundation
import Testing

@Suite("Speed of a filter")
struct FilterSpeedTests {
    @Test(
        "a filter of two terms is measured over batches of 4096 rows",
        .enabled(
            if: ProcessInfo.processInfo.environment["STREAMPLAT_MEASURE"] == "1",
            "set STREAMPLAT_MEASURE=1 with a release build to measure"),
        arguments: [0, 5])
    func measure(nullEvery: Int) throws {
        let schema = BatchSchema([
            ColumnSpec("amount_cents", .long, isNullable: true), ColumnSpec("s", .string, encoding: .dictionary),
        ])
        let batch = RecordBatch(schema: schema)
        guard case .int64(let cents) = batch.columns[0], case .dictionary(let codes, let words) = batch.columns[1]
        else {
            return
        }
        let known = ["US", "DE", "FR", "GB"].map { text in Array(text.utf8).withUnsafeBytes { words.code(for: $0) } }
        var random = SplitMix(state: 1)
        for row in 0..<4096 {
            if nullEvery > 0, row % nullEvery == 0 {
                cents.appendNull()
            } else {
                cents.append(Int64(random.below(20_000)))
            }
            codes.append(known[random.below(4)])
        }
        batch.rowCount = 4096
        let bound = try BoundProgram(#require(typed("amount > 100 and s = 'US'").0).program, schema: schema)
        let selection = Selection()
        bound.select(batch, into: selection)
        let rounds = 20_000
        let start = ContinuousClock.now
        for _ in 0..<rounds { bound.select(batch, into: selection) }
        let elapsed = (ContinuousClock.now - start) / .nanoseconds(1)
        print("nulls every \(nullEvery): \(elapsed / Double(rounds * 4096)) ns/row, \(selection.count) rows selected")
        #expect(selection.count > 0)
    }
}
