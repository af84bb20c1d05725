import ClickHouseTesting
import DataPath
import Diagnostics
import Foundation
import PluginAPI
import TestServers
import Testing

extension ClickHouse {
    @Suite("types")
    struct TypeTests {
        /// A type, values of it, and what ClickHouse's own client shows for them.
        struct Case: Sendable, CustomTestStringConvertible {
            var type: LogicalType
            var declared: String
            var values: [(Value, String)]
            var testDescription: String { declared }

            init(_ type: LogicalType, _ declared: String, _ values: [(Value, String)]) {
                (self.type, self.declared, self.values) = (type, declared, values)
            }
        }

        static let nines: Int128 = 99_999_999_999_999_999_999_999_999_999_999_999_999
        static let cases = [
            Case(.boolean, "UInt8", [(true, "1"), (false, "0")]),
            Case(.int, "Int32", [(0, "0"), (-2_147_483_648, "-2147483648"), (2_147_483_647, "2147483647")]),
            Case(
                .long, "Int64",
                [
                    (-1, "-1"), (.integer(Int128(Int64.min)), "-9223372036854775808"),
                    (.integer(Int128(Int64.max)), "9223372036854775807"),
                ]),
            Case(.float, "Float32", [(0.1, "0.1"), (-3.5e38, "-inf"), (1.5e-45, "1e-45")]),
            Case(
                .double, "Float64",
                [
                    (0.1, "0.1"), (-0.0, "-0"), (.double(.greatestFiniteMagnitude), "1.7976931348623157e308"),
                    (.double(.leastNonzeroMagnitude), "5e-324"), (.double(.infinity), "inf"), (.double(.nan), "nan"),
                ]),
            Case(
                .string, "String",
                [
                    ("", ""), ("plain", "plain"),
                    ("tab\tline\nback\\slash 'quote'", "tab\\tline\\nback\\\\slash \\'quote\\'"),
                    ("ünï → 🚀", "ünï → 🚀"),
                    (.bytes(Array(repeating: 0x78, count: 70_000)), String(repeating: "x", count: 70_000)),
                ]),
            Case(.bytes, "String", [(.bytes([0x41, 0x00, 0x42]), "A\\0B"), (.bytes([]), "")]),
            Case(
                .uuid, "UUID",
                [
                    ("00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff"),
                    ("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
                    ("01234567-89ab-cdef-0123-456789abcdef", "01234567-89ab-cdef-0123-456789abcdef"),
                ]),
            Case(.date, "Int32", [(0, "0"), (-1, "-1"), (20_778, "20778"), (2_932_896, "2932896")]),
            Case(
                .timestamp, "Int64",
                [(0, "0"), (-1, "-1"), (1_763_732_730_123, "1763732730123"), (253_402_300_799_999, "253402300799999")]),
            Case(
                .decimal(precision: 9, scale: 2), "Decimal(9, 2)",
                [(999_999_999, "9999999.99"), (-999_999_999, "-9999999.99"), (1, "0.01")]),
            Case(
                .decimal(precision: 18, scale: 4), "Decimal(18, 4)",
                [(999_999_999_999_999_999, "99999999999999.9999"), (-1, "-0.0001")]),
            Case(
                .decimal(precision: 38, scale: 6), "Decimal(38, 6)",
                [
                    (.integer(nines), "99999999999999999999999999999999.999999"),
                    (.integer(-nines), "-99999999999999999999999999999999.999999"), (0, "0.000000"),
                ]),
            Case(.json, "String", [("{\"a\":[1,null]}", "{\"a\":[1,null]}"), ("[]", "[]")]),
        ]

        @Test("extremes and null come back, with and without gzip", arguments: cases, ["gzip", "none"])
        func roundTrip(type: Case, compression: String) throws {
            let (server, database) = try ClickHouse.database()
            let table = TableDefinition(
                "values",
                [
                    ColumnSpec("n", .int), ColumnSpec("required", type.type),
                    ColumnSpec("optional", type.type, isNullable: true),
                ])
            let sink = try SinkConfiguration(server.url, database: database, others: ["compression": compression])
                .open()
            try sink.apply(table)
            let batch = RecordBatch(
                table,
                type.values.enumerated().flatMap { index, value -> [[Value]] in
                    [
                        [.integer(Int128(index * 2)), value.0, value.0],
                        [.integer(Int128(index * 2 + 1)), value.0, nil],
                    ]
                })
            try sink.write(batch, to: table)
            try sink.close()
            let expected = type.values.flatMap { ["\($0.1)\t\($0.1)", "\($0.1)\t\\N"] }.joined(separator: "\n")
            #expect(try server.sql("SELECT required, optional FROM \(database).values FINAL ORDER BY n") == expected)
            #expect(
                try server.sql("SELECT type FROM system.columns WHERE database = '\(database)' AND name = 'optional'")
                    == "Nullable(\(type.declared))".replacing("'", with: "\\'"))
        }

        /// Arrays of scalars as JSON text, and what ClickHouse's own client shows for them.
        static let arrays: [(LogicalType, String, String, String)] = [
            (
                .string, "String", #"["a","",  "t\tb \"q\" 'q'","ü\ud83d\ude80","\ud800"]"#,
                #"['a','','t\tb "q" \'q\'','ü🚀','\#u{FFFD}']"#
            ),
            (.string, "String", "[]", "[]"),
            (.boolean, "UInt8", "[true, false]", "[1,0]"),
            (.int, "Int32", "[0,-2147483648,2147483647]", "[0,-2147483648,2147483647]"),
            (
                .long, "Int64", "[-9223372036854775808,9223372036854775807]",
                "[-9223372036854775808,9223372036854775807]"
            ),
            (.float, "Float32", #"[0.1,-1.5e3,"NaN","-Infinity"]"#, "[0.1,-1500,nan,-inf]"),
            (.double, "Float64", #"[0.1,5e-324,"Infinity",0]"#, "[0.1,5e-324,inf,0]"),
            (.date, "Int32", #"[0,-1,"2026-11-21"]"#, "[0,-1,20778]"),
            (
                .timestamp, "Int64", #"[-1,"2025-11-21T13:45:30.123Z","2025-11-21T14:45:30+01:00"]"#,
                "[-1,1763732730123,1763732730000]"
            ),
            (
                .uuid, "UUID", #"["00112233-4455-6677-8899-AABBCCDDEEFF"]"#,
                "['00112233-4455-6677-8899-aabbccddeeff']"
            ),
            (
                .decimal(precision: 9, scale: 2), "Decimal(9, 2)", #"[1.5,-9999999.99,"0.01"]"#,
                "[1.50,-9999999.99,0.01]"
            ),
            (.decimal(precision: 18, scale: 4), "Decimal(18, 4)", "[-0.0001]", "[-0.0001]"),
            (
                .decimal(precision: 38, scale: 6), "Decimal(38, 6)", "[99999999999999999999999999999999.999999]",
                "[99999999999999999999999999999999.999999]"
            ),
            (.bytes, "String", #"["A\u0000\u00ff","ü"]"#, "['A\\0\u{FFFD}','\u{FFFD}']"),
        ]

        @Test("arrays of scalars are arrays", arguments: arrays)
        func array(element: LogicalType, declared: String, json: String, shown: String) throws {
            let (server, database) = try ClickHouse.database()
            let table = TableDefinition(
                "lists",
                [
                    ColumnSpec("n", .int), ColumnSpec("list", .json, element: element), ColumnSpec("after", .string),
                    ColumnSpec("optional", .json, isNullable: true, element: element),
                    ColumnSpec("map", .json, mapValue: element),
                    ColumnSpec("coded", .json, encoding: .dictionary, element: element),
                ])
            let sink = try SinkConfiguration(server.url, database: database).open()
            try sink.apply(table)
            #expect(try sink.plan(table) == TableChange.none)
            let map = "{\"k\":1}"
            try sink.write(
                RecordBatch(
                    table,
                    [[1, Value(json), "x", Value(json), Value(map), Value(json)], [2, "[]", "y", nil, "{}", " [ ] "]]),
                to: table)
            try sink.flush()
            let rows = try server.sql("SELECT list, after, coded, map FROM \(database).lists ORDER BY n")
            #expect(rows == "\(shown)\tx\t\(shown)\t\(map)\n[]\ty\t[]\t{}")
            #expect(try server.sql("SELECT isNull(optional) FROM \(database).lists ORDER BY n") == "0\n1")
            #expect(
                try server.sql("SELECT type FROM system.columns WHERE database = '\(database)' AND name = 'list'")
                    == "Array(\(declared))")
        }

        @Test(
            "a row with text that is no array of the column's elements is named, and nothing of its batch is taken",
            arguments: [
                "", "null", "[null]", "[1,]", "[1", "{}", "[1] x", "[\"canary\"]", "[3000000000]", "[1.5]", "[[1]]",
            ])
        func noArray(json: String) throws {
            let (server, database) = try ClickHouse.database()
            let table = TableDefinition("lists", [ColumnSpec("n", .int), ColumnSpec("list", .json, element: .int)])
            let sink = try SinkConfiguration(server.url, database: database).open()
            try sink.apply(table)
            let error = #expect(throws: RefusedRows.self) {
                try sink.write(RecordBatch(table, [[1, "[7]"], [2, Value(json)]]), to: table)
            }
            #expect(error?.code == .clickHouseRows)
            #expect(error?.rows.map(\.row) == [1])
            #expect(error?.description.contains("canary") == false)
            try sink.flush()
            #expect(try server.sql("SELECT count() FROM \(database).lists") == "0")
        }

        @Test("a dictionary column is written as its strings")
        func dictionary() throws {
            let (server, database) = try ClickHouse.database()
            let table = TableDefinition(
                "words", [ColumnSpec("n", .int), ColumnSpec("w", .string, isNullable: true, encoding: .dictionary)])
            let sink = try SinkConfiguration(server.url, database: database).open()
            try sink.apply(table)
            try sink.write(RecordBatch(table, [[1, "a"], [2, nil], [3, "b"], [4, "a"]]), to: table)
            try sink.flush()
            #expect(try server.sql("SELECT n, w FROM \(database).words ORDER BY n") == "1\ta\n2\t\\N\n3\tb\n4\ta")
        }

        @Test("where the server has no type for them, timestamps and dates have a readable form beside the number")
        func readable() throws {
            let (server, database) = try ClickHouse.database()
            let table = TableDefinition(
                "times",
                [
                    ColumnSpec("window_start", .timestamp), ColumnSpec("day", .date, isNullable: true),
                    ColumnSpec("seen", .timestamp, isNullable: true), ColumnSpec("seen_datetime", .string),
                ])
            let sink = try SinkConfiguration(server.url, database: database).open()
            try sink.apply(table)
            try sink.write(
                RecordBatch(table, [[1_763_732_730_123, 20_778, nil, "mine"], [1000, nil, nil, "mine"]]), to: table)
            try sink.flush()
            #expect(
                try server.sql(
                    "SELECT window_start_datetime, day_date, seen_datetime FROM \(database).times "
                        + "WHERE window_start_datetime >= '1970-01-01 00:00:00' ORDER BY window_start")
                    == "1970-01-01 00:00:01\t\\N\tmine\n2025-11-21 13:45:30\t2026-11-21\tmine")
            #expect(
                try server.sql("SELECT count() FROM system.columns WHERE database = '\(database)' AND table = 'times'")
                    == "7")
        }

        @Test("rows with a value that does not fit are named, and nothing of their batch is taken")
        func misfit() throws {
            let (server, database) = try ClickHouse.database()
            let table = TableDefinition("narrow", [ColumnSpec("n", .int), ColumnSpec("u", .uuid)])
            let sink = try SinkConfiguration(server.url, database: database).open()
            try sink.apply(table)
            let good: Value = "00112233-4455-6677-8899-aabbccddeeff"
            try sink.write(RecordBatch(table, [[1, good]]), to: table)
            for row: [Value] in [[3_000_000_000, good], [2, "no-uuid-canary"], [2, nil]] {
                let error = #expect(throws: RefusedRows.self) {
                    try sink.write(RecordBatch(table, [[4, good], row, [5, good], row]), to: table)
                }
                #expect(error?.code == .clickHouseRows)
                #expect(error?.rows.map(\.row) == [1, 3])
                #expect(error?.description.contains("canary") == false)
            }
            try sink.flush()
            #expect(try server.sql("SELECT n FROM \(database).narrow") == "1")
        }

        @Test("a table of many columns with dotted names")
        func wide() throws {
            let (server, database) = try ClickHouse.database()
            let columns = (0..<300).map { ColumnSpec("location.a_rather_long_column_name_\($0)", .long) }
            let table = TableDefinition("wide", columns)
            let sink = try SinkConfiguration(server.url, database: database).open()
            try sink.apply(table)
            try sink.write(RecordBatch(table, [(0..<300).map { .integer(Int128($0)) }]), to: table)
            try sink.flush()
            #expect(try server.sql("SELECT `location.a_rather_long_column_name_299` FROM \(database).wide") == "299")
        }
    }
}
