import DataPath
import Diagnostics
import Expressions
import Foundation
import Testing

@Suite("Agreement with DuckDB")
struct DuckDBTests {
    static let python = ProcessInfo.processInfo.environment["STREAMPLAT_PYTHON"] ?? "python3"

    static let isAvailable: Bool = {
        if ProcessInfo.processInfo.environment["CI"] == "true" { return true }
        return (try? run(["-c", "import duckdb"], input: Data()))?.status == 0
    }()

    @Test(
        "random expressions have DuckDB's values",
        .enabled(if: isAvailable, "the Python module duckdb is not there; set STREAMPLAT_PYTHON"),
        arguments: [11, 12] as [UInt64])
    func agrees(seed: UInt64) throws {
        let table = SampleTable(count: 40, seed: seed)
        var generator = RandomExpression(random: SplitMix(state: seed))
        let expressions = (0..<250).map { _ in generator.any() }
        let task: [String: Any] = ["ddl": SampleTable.ddl, "rows": table.sql, "expressions": expressions]
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/duckdb_oracle.py").path
        let (status, output) = try Self.run([script], input: JSONSerialization.data(withJSONObject: task))
        try #require(status == 0, "the Python script failed")
        let answers = try #require(try JSONSerialization.jsonObject(with: output) as? [Any])
        var compared = 0
        for (text, answer) in zip(expressions, answers) {
            guard let expected = answer as? [Any] else { continue }
            let (expression, diagnostics) = typed(text)
            guard let expression else {
                Issue.record("seed \(seed): \(text): \(diagnostics.items.map(\.message))")
                continue
            }
            let schema = SampleTable.schema(dictionary: true)
            let bound = try BoundProgram(expression.program, schema: schema)
            let found = texts(bound.evaluate(table.batch(0..<40, schema: schema)), expression.type)
            for (row, (ours, theirs)) in zip(found, expected).enumerated()
            where !same(ours, theirs as? String, expression.type) {
                Issue.record("seed \(seed): \(text), row \(table.rows[row]): \(ours ?? "null"), DuckDB \(theirs)")
                break
            }
            compared += 1
        }
        #expect(compared >= 200)
    }

    private func same(_ a: String?, _ b: String?, _ type: LogicalType) -> Bool {
        guard let a, let b else { return a == nil && b == nil }
        if a == b { return true }
        // A whole decimal and an integer print differently, and a double's last digit may differ.
        guard type.isNumeric, let x = Double(a), let y = Double(b) else { return false }
        return x == y || x.isNaN && y.isNaN || abs(x - y) <= 1e-12 * max(abs(x), abs(y))
    }

    static func run(_ arguments: [String], input: Data) throws -> (status: Int32, output: Data) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [python] + arguments
        // A file, so that neither side waits for the other with a full pipe.
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try input.write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let handle = try FileHandle(forReadingFrom: file)
        let output = Pipe()
        (process.standardInput, process.standardOutput) = (handle, output)
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, data)
    }
}
