import DataPath
import Foundation
import Testing

@Suite("NDJSON rows")
struct NDJSONWriterTests {
    // Members of one object stand together where its first one is.
    private static let schema = BatchSchema(
        [
            ColumnSpec("a.b.c", .long, isNullable: true), ColumnSpec("id", .long),
            ColumnSpec("a.x", .long, isNullable: true), ColumnSpec("a.b.d", .long, isNullable: true),
            ColumnSpec("p.q.r", .long, isNullable: true), ColumnSpec("a.e.f", .long, isNullable: true),
        ])

    /// A line with the number of the column in the cells that are not null.
    private static func line(_ cells: [Int?]) -> String {
        let batch = RecordBatch(schema: schema)
        for (cell, column) in zip(cells, batch.columns) {
            guard case .int64(let vector) = column else { continue }
            if let cell { vector.append(Int64(cell)) } else { vector.appendNull() }
        }
        batch.rowCount = 1
        let out = ByteBuffer()
        NDJSONWriter(schema: schema).write(batch, to: out)
        return out.string
    }

    @Test(
        "an object of which all is null is null, at whatever depth; one with anything in it is there",
        arguments: [
            ([1, 2, 3, 4, 5, 6], #"{"a":{"b":{"c":1,"d":4},"x":3,"e":{"f":6}},"id":2,"p":{"q":{"r":5}}}"#),
            ([nil, 2, nil, nil, nil, nil], #"{"a":null,"id":2,"p":null}"#),
            // A null object inside one that is there, first, last and alone beside a null.
            ([nil, 2, 3, nil, 5, 6], #"{"a":{"b":null,"x":3,"e":{"f":6}},"id":2,"p":{"q":{"r":5}}}"#),
            ([1, 2, nil, nil, nil, nil], #"{"a":{"b":{"c":1,"d":null},"x":null,"e":null},"id":2,"p":null}"#),
            ([nil, 2, nil, nil, nil, 6], #"{"a":{"b":null,"x":null,"e":{"f":6}},"id":2,"p":null}"#),
            // Null members in an object that is there.
            ([nil, 2, nil, 4, nil, nil], #"{"a":{"b":{"c":null,"d":4},"x":null,"e":null},"id":2,"p":null}"#),
            ([nil, 2, 3, nil, nil, nil], #"{"a":{"b":null,"x":3,"e":null},"id":2,"p":null}"#),
        ] as [([Int?], String)])
    func nesting(_ cells: [Int?], _ expected: String) { #expect(Self.line(cells) == expected + "\n") }

    @Test("texts of any length with any character anywhere: Foundation reads the same text")
    func texts() throws {
        let out = ByteBuffer()
        for odd in ["", "\"", "\\", "\n", "\u{0}", "\u{1F}", " ", "\u{7F}", "é", "\u{2028}", "🦆"] {
            for length in 0...26 {
                for place in 0...length {
                    let plain = "abcdefghijklmnopqrstuvwxyz"
                    let text = String(plain.prefix(place)) + odd + String(plain.prefix(length - place))
                    out.removeAll()
                    Array(text.utf8).withUnsafeBytes { TextFormat.writeJSONString($0, to: out) }
                    let read = try JSONSerialization.jsonObject(with: Data(out.contents), options: .fragmentsAllowed)
                    #expect(read as? String == text)
                }
            }
        }
    }

    @Test("names of any length stand between the cells")
    func names() throws {
        for length in [1, 5, 26, 27, 28, 29, 60] {
            let name = String(repeating: "n", count: length)
            let schema = BatchSchema([ColumnSpec(name, .long), ColumnSpec("m" + name, .long)])
            let batch = RecordBatch(schema: schema)
            for (value, column) in batch.columns.enumerated() {
                guard case .int64(let vector) = column else { continue }
                vector.append(Int64(value))
            }
            batch.rowCount = 1
            let out = ByteBuffer()
            NDJSONWriter(schema: schema).write(batch, to: out)
            #expect(out.string == "{\"\(name)\":0,\"m\(name)\":1}\n")
        }
    }

    @Test("any cells may be null: Foundation reads what was written, row by row")
    func allNulls() throws {
        func object(_ members: [String: Any]) -> Any {
            members.values.allSatisfy { $0 is NSNull } ? NSNull() : members
        }
        let batch = RecordBatch(schema: Self.schema)
        var expected: [NSDictionary] = []
        for mask in 0..<32 {
            // The second column is never null.
            let cells = [mask & 1, 1, mask & 2, mask & 4, mask & 8, mask & 16].enumerated().map { index, bit in
                bit == 0 ? nil : mask * 10 + index
            }
            for (cell, column) in zip(cells, batch.columns) {
                guard case .int64(let vector) = column else { continue }
                if let cell { vector.append(Int64(cell)) } else { vector.appendNull() }
            }
            let values = cells.map { $0.map { $0 as Any } ?? NSNull() }
            let inner = ["b": object(["c": values[0], "d": values[3]]), "x": values[2], "e": object(["f": values[5]])]
            expected.append(["a": object(inner), "id": values[1], "p": object(["q": object(["r": values[4]])])])
        }
        batch.rowCount = 32
        let out = ByteBuffer()
        NDJSONWriter(schema: Self.schema).write(batch, to: out)
        let lines = out.string.split(separator: "\n")
        #expect(lines.count == 32)
        for (line, row) in zip(lines, expected) {
            let found = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? NSDictionary)
            #expect(found == row, "\(line)")
        }
    }
}
