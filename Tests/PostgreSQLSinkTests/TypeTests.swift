import DataPath
import Diagnostics
import PluginAPI
import Testing

extension PostgreSQLSinkTests {
    /// What is written in binary is read back as the server's text.
    @Suite("Types")
    struct TypeTests {
        /// Writes values (nil = null) of one type and reads them as text, in order.
        private func roundTrip(
            _ column: ColumnSpec, options: [String: OptionValues.Value] = [:], _ fill: (ColumnVector) -> Void
        ) throws -> (type: String, values: [String]) {
            let schema = try TestSchema()
            var column = column
            column.isNullable = true
            let table = TableDefinition(
                name: "t", content: .rawEvents, columns: [ColumnSpec("id", .long), column], key: ["id"],
                fingerprint: "1")
            let batch = RecordBatch(schema: BatchSchema(table.columns))
            fill(batch.columns[1])
            for id in 0..<batch.columns[1].count { batch.columns[0].append(Int64(id)) }
            batch.rowCount = batch.columns[1].count
            let sink = try schema.open(options)
            try sink.apply(table)
            try sink.write(batch, to: table)
            try sink.close()
            let type = try schema.rows(
                """
                SELECT format_type(atttypid, atttypmod) FROM pg_attribute
                WHERE attrelid = to_regclass('t') AND attname = $1
                """, [column.name])
            return (type[0][0], try schema.rows("SELECT * FROM t ORDER BY id").map { $0[1] })
        }

        @Test("booleans")
        func booleans() throws {
            let result = try roundTrip(ColumnSpec("v", .boolean)) {
                $0.append(true)
                $0.append(false)
                $0.appendNull()
            }
            #expect(result == ("boolean", ["t", "f", "∅"]))
        }

        @Test("integers of 32 and 64 bits at their ends")
        func integers() throws {
            let small = try roundTrip(ColumnSpec("v", .int)) {
                for value in [0, -1, Int64(Int32.max), Int64(Int32.min)] { $0.append(value) }
                $0.appendNull()
            }
            #expect(small == ("integer", ["0", "-1", "2147483647", "-2147483648", "∅"]))
            let large = try roundTrip(ColumnSpec("v", .long)) {
                for value in [0, -1, Int64.max, Int64.min] { $0.append(value) }
            }
            #expect(large == ("bigint", ["0", "-1", "9223372036854775807", "-9223372036854775808"]))
        }

        @Test("floating-point numbers, with NaN and the infinities")
        func doubles() throws {
            let double = try roundTrip(ColumnSpec("v", .double)) {
                for value in [0.1, -0.0, .nan, .infinity, -.infinity, .leastNonzeroMagnitude, 1.7976931348623157e308] {
                    $0.append(value)
                }
                $0.appendNull()
            }
            #expect(
                double == (
                    "double precision",
                    ["0.1", "-0", "NaN", "Infinity", "-Infinity", "5e-324", "1.7976931348623157e+308", "∅"]
                ))
            let float = try roundTrip(ColumnSpec("v", .float)) {
                for value in [Double(Float(0.1)), .nan, -.infinity, Double(Float.greatestFiniteMagnitude)] {
                    $0.append(value)
                }
            }
            #expect(float == ("real", ["0.1", "NaN", "-Infinity", "3.4028235e+38"]))
        }

        @Test("text of any script, plain and from a dictionary")
        func text() throws {
            let values = ["", "plain", "Grüße 日本語 🙂", "a\tb\nc\\\"'", String(repeating: "x", count: 100_000)]
            for encoding in [ColumnEncoding.plain, .dictionary] {
                let result = try roundTrip(ColumnSpec("v", .string, encoding: encoding)) {
                    for value in values { $0.append(value) }
                    $0.appendNull()
                }
                #expect(result == ("text", values + ["∅"]))
            }
        }

        @Test("text that PostgreSQL cannot hold is refused without its value, or repaired")
        func unstorable() throws {
            for bad in [Array("canary\0".utf8), Array("canary long enough for a word \0 x".utf8), [0xFF, 0x41]] {
                let error = #expect(throws: RefusedRows.self) {
                    try roundTrip(ColumnSpec("v", .string)) {
                        $0.append("fine")
                        $0.append(bad)
                        $0.append("fine too")
                        $0.append(bad)
                    }
                }
                #expect(error?.code == .postgresValue)
                #expect(error?.rows.map(\.row) == [1, 3])
                #expect(error?.rows.map(\.column) == ["v", "v"])
                #expect(error?.description.contains("'v'") == true)
                #expect(error?.rows.contains { $0.reason.contains("canary") } == false)
            }
            let options: [String: OptionValues.Value] = ["unstorable_text": .string("replace")]
            let text = try roundTrip(ColumnSpec("v", .string), options: options) {
                $0.append("a\0b")
                $0.append([0x41, 0xFF])
                $0.append("after")
            }
            #expect(text.values == ["a\u{FFFD}b", "A\u{FFFD}", "after"])
            let json = try roundTrip(ColumnSpec("v", .json), options: options) {
                $0.append(#"{"a":"x\u0000y","b":"\\u0000"}"#)
            }
            #expect(json.values == ["{\"a\": \"x\u{FFFD}y\", \"b\": \"\\\\u0000\"}"])
        }

        @Test("bytes")
        func bytes() throws {
            let result = try roundTrip(ColumnSpec("v", .bytes)) {
                $0.append([UInt8]())
                $0.append([0, 255, 16])
                $0.appendNull()
            }
            #expect(result == ("bytea", ["\\x", "\\x00ff10", "∅"]))
        }

        @Test("dates from 4713 BC on, and refused ones")
        func dates() throws {
            let result = try roundTrip(ColumnSpec("v", .date)) {
                for days in [0, 10_957, 10_956, -1, -719_528, -2_440_588, 20_778, 2_145_042_905] as [Int64] {
                    $0.append(days)
                }
                $0.appendNull()
            }
            #expect(
                result == (
                    "date",
                    [
                        "1970-01-01", "2000-01-01", "1999-12-31", "1969-12-31", "0001-01-01 BC", "4714-11-24 BC",
                        "2026-11-21", "5874897-12-31", "∅",
                    ]
                ))
            for days in [-2_440_589, 2_145_042_906, Int64.max, Int64.min] {
                #expect(throws: RefusedRows.self) { try roundTrip(ColumnSpec("v", .date)) { $0.append(days) } }
            }
        }

        @Test("timestamps in milliseconds, before 1970 and 2000, and refused ones")
        func timestamps() throws {
            let ends: [Int64] = [-210_866_803_200_000, 9_224_318_015_999_999]
            let result = try roundTrip(ColumnSpec("v", .timestamp)) {
                for value in [0, 1, -1, 946_684_799_999, 1_795_268_730_123] + ends { $0.append(value) }
                $0.appendNull()
            }
            #expect(
                result == (
                    "timestamp with time zone",
                    [
                        "1970-01-01 00:00:00+00", "1970-01-01 00:00:00.001+00", "1969-12-31 23:59:59.999+00",
                        "1999-12-31 23:59:59.999+00", "2026-11-21 13:45:30.123+00", "4714-11-24 00:00:00+00 BC",
                        "294276-12-31 23:59:59.999+00", "∅",
                    ]
                ))
            for value in [ends[0] - 1, ends[1] + 1, Int64.max, Int64.min] {
                #expect(throws: RefusedRows.self) {
                    try roundTrip(ColumnSpec("v", .timestamp)) { $0.append(value) }
                }
            }
        }

        @Test("UUIDs of either case, and text that is none")
        func uuids() throws {
            let result = try roundTrip(ColumnSpec("v", .uuid)) {
                $0.append("01234567-89ab-cdef-0123-456789abcdef")
                $0.append("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF")
                $0.appendNull()
            }
            #expect(
                result == (
                    "uuid", ["01234567-89ab-cdef-0123-456789abcdef", "ffffffff-ffff-ffff-ffff-ffffffffffff", "∅"]
                ))
            let error = #expect(throws: RefusedRows.self) {
                try roundTrip(ColumnSpec("v", .uuid)) { $0.append("canary") }
            }
            #expect(error?.code == .postgresValue && error?.description.contains("canary") == false)
        }

        static let integers38: [Int128] = [
            0, 1, -1, 9, 10, 99, 100, 1234, 9_999, 10_000, -10_000, 10_001, 123_456_789, 1_000_000_000_000_000_000,
            Int128(Int64.max), Int128(Int64.min), 100_000_000_000_000_000_000_000,
            99_999_999_999_999_999_999_999_999_999_999_999_999, -99_999_999_999_999_999_999_999_999_999_999_999_999,
            12_345_678_901_234_567_890_123_456_789_012_345_678, 10_000_000_000_000_000_000_000_000_000_000_000_000,
        ]

        @Test("decimals of 38 digits are exact at every scale", arguments: 0...38)
        func decimals(scale: Int) throws {
            let type = LogicalType.decimal(precision: 38, scale: scale)
            let result = try roundTrip(ColumnSpec("v", type)) {
                for value in Self.integers38 { $0.append(value) }
                $0.appendNull()
            }
            #expect(result.type == "numeric(38,\(scale))")
            let expected = Self.integers38.map { value in
                var digits = String(value.magnitude)
                if scale > 0 {
                    digits = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
                    digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -scale))
                }
                return (value < 0 ? "-" : "") + digits
            }
            #expect(result.values == expected + ["∅"])
        }

        @Test("JSON of maps and nested arrays")
        func json() throws {
            let result = try roundTrip(ColumnSpec("v", .json)) {
                $0.append(#"{"b":[1,2.50,null],"a":"ü\n"}"#)
                $0.append("[[1],[2]]")
                $0.appendNull()
            }
            #expect(
                result == ("jsonb", [#"{"a": "ü\n", "b": [1, 2.50, null]}"#, "[[1], [2]]", "∅"]))
        }

        static let arrayCases: [(LogicalType, String, String, String)] = [
            (.string, "text[]", #"["a","","x\"y\\z","Ü\u00fc",null,"null"]"#, #"{a,"","x\"y\\z",Üü,NULL,"null"}"#),
            (.string, "text[]", "[]", "{}"),
            (.int, "integer[]", "[1,-2, 2147483647]", "{1,-2,2147483647}"),
            (.long, "bigint[]", "[9223372036854775807]", "{9223372036854775807}"),
            (.boolean, "boolean[]", "[true,false]", "{t,f}"),
            (.double, "double precision[]", #"[0.1,"NaN","-Infinity",1e300]"#, "{0.1,NaN,-Infinity,1e+300}"),
            (.float, "real[]", #"[0.1,"Infinity"]"#, "{0.1,Infinity}"),
            (
                .decimal(precision: 20, scale: 3), "numeric(20,3)[]", #"[1.5,-12345678901234567.891]"#,
                "{1.500,-12345678901234567.891}"
            ),
            (.date, "date[]", #"["2026-11-21"]"#, "{2026-11-21}"),
            (.date, "date[]", "[20778,-1]", "{2026-11-21,1969-12-31}"),
            (.timestamp, "timestamp with time zone[]", "[1500]", #"{"1970-01-01 00:00:01.5+00"}"#),
            (
                .timestamp, "timestamp with time zone[]", #"["2026-11-21T13:45:30.123Z"]"#,
                #"{"2026-11-21 13:45:30.123+00"}"#
            ),
            (
                .uuid, "uuid[]", #"["01234567-89ab-cdef-0123-456789abcdef"]"#,
                "{01234567-89ab-cdef-0123-456789abcdef}"
            ),
            (.bytes, "bytea[]", "[\"a\u{FF}\",\"\"]", #"{"\\x61ff","\\x"}"#),
        ]

        @Test("arrays of scalars are arrays of PostgreSQL", arguments: arrayCases)
        func arrays(element: LogicalType, type: String, json: String, expected: String) throws {
            let result = try roundTrip(ColumnSpec("v", .json, element: element)) {
                $0.append(json)
                $0.appendNull()
            }
            #expect(result == (type, [expected, "∅"]))
        }

        @Test(
            "text that is no array of the elements is refused",
            arguments: ["", "[", "[1", "[1,]", "[1] x", "{}", "[\"a\"]", "[true]", "[1.5]", "[99999999999]"])
        func brokenArray(json: String) throws {
            let error = #expect(throws: RefusedRows.self) {
                try roundTrip(ColumnSpec("v", .json, element: .int)) { $0.append(json) }
            }
            #expect(error?.code == .postgresValue)
        }
    }
}
