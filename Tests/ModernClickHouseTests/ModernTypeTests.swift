import ClickHouseTesting
import DataPath
import PluginAPI
import Testing

extension Modern {
    @Suite("types")
    struct ModernTypeTests {
        /// A column, values of it, and what the engine shows for them as JSON.
        struct Case: Sendable, CustomTestStringConvertible {
            var column: ColumnSpec
            var declared: String
            var values: [(Value, String)]
            var testDescription: String { declared }

            init(
                _ type: LogicalType, _ declared: String, element: LogicalType? = nil, mapValue: LogicalType? = nil,
                _ values: [(Value, String)]
            ) {
                column = ColumnSpec("c", type, element: element, mapValue: mapValue)
                (self.declared, self.values) = (declared, values)
            }
        }

        static let nines: Int128 = 99_999_999_999_999_999_999_999_999_999_999_999_999
        static let scalarCases = [
            Case(.boolean, "Bool", [(true, "true"), (false, "false")]),
            Case(.int, "Int32", [(-2_147_483_648, "-2147483648"), (2_147_483_647, "2147483647")]),
            Case(
                .long, "Int64",
                [
                    (.integer(Int128(Int64.min)), "-9223372036854775808"),
                    (.integer(Int128(Int64.max)), "9223372036854775807"),
                ]),
            Case(.float, "Float32", [(0.1, "0.1"), (-1.5, "-1.5")]),
            Case(.double, "Float64", [(0.1, "0.1"), (.double(.greatestFiniteMagnitude), "1.7976931348623157e308")]),
            Case(
                .string, "String",
                [
                    ("", "\"\""), ("tab\tline\nback\\slash \"quote\"", #""tab\tline\nback\\slash \"quote\"""#),
                    ("ünï → 🚀", "\"ünï → 🚀\""),
                ]),
            Case(.bytes, "String", [(.bytes([0x41, 0x00, 0x42]), #""A\u0000B""#)]),
            Case(
                .uuid, "UUID",
                [("01234567-89AB-cdef-0123-456789abcdef", "\"01234567-89ab-cdef-0123-456789abcdef\"")]),
            Case(
                .date, "Date32",
                [
                    (0, "\"1970-01-01\""), (-1, "\"1969-12-31\""), (20_778, "\"2026-11-21\""),
                    (-25_567, "\"1900-01-01\""),
                ]
            ),
            Case(
                .timestamp, "DateTime64(3, 'UTC')",
                [
                    (0, "\"1970-01-01 00:00:00.000\""), (-1, "\"1969-12-31 23:59:59.999\""),
                    (1_763_732_730_123, "\"2025-11-21 13:45:30.123\""),
                    (10_413_791_999_999, "\"2299-12-31 23:59:59.999\""),
                ]),
            Case(
                .decimal(precision: 9, scale: 2), "Decimal(9, 2)",
                [(999_999_999, "9999999.99"), (-999_999_999, "-9999999.99"), (1, "0.01")]),
            Case(
                .decimal(precision: 18, scale: 4), "Decimal(18, 4)", [(999_999_999_999_999_999, "99999999999999.9999")]),
            Case(
                .decimal(precision: 38, scale: 6), "Decimal(38, 6)",
                [
                    (.integer(nines), "99999999999999999999999999999999.999999"),
                    (.integer(-nines), "-99999999999999999999999999999999.999999"),
                ]),
            // A record in an array, an array in a map: text.
            Case(.json, "String", [("{\"a\":[1,null]}", #""{\"a\":[1,null]}""#)]),
        ]
        static let nestedCases = [
            Case(
                .json, "Array(String)", element: .string,
                [("[]", "[]"), (#"["a","b c"]"#, #"["a","b c"]"#), (#"["ü\u0041\ud83d\ude80"]"#, #"["üA🚀"]"#)]),
            Case(.json, "Array(Bool)", element: .boolean, [("[true,false]", "[true,false]")]),
            Case(.json, "Array(Int32)", element: .int, [("[1,-2]", "[1,-2]")]),
            Case(.json, "Array(Int64)", element: .long, [("[9223372036854775807]", "[9223372036854775807]")]),
            Case(.json, "Array(Float32)", element: .float, [("[0.1,1e3]", "[0.1,1000]")]),
            Case(.json, "Array(Float64)", element: .double, [("[0.1,-2.5e-7]", "[0.1,-2.5e-7]")]),
            Case(.json, "Array(Date32)", element: .date, [(#"[0,"2026-11-21"]"#, #"["1970-01-01","2026-11-21"]"#)]),
            Case(
                .json, "Array(DateTime64(3, 'UTC'))", element: .timestamp,
                [
                    (
                        #"[1763732730123,"1970-01-01T00:00:00Z"]"#,
                        #"["2025-11-21 13:45:30.123","1970-01-01 00:00:00.000"]"#
                    )
                ]
            ),
            Case(
                .json, "Array(UUID)", element: .uuid,
                [(#"["01234567-89ab-cdef-0123-456789abcdef"]"#, #"["01234567-89ab-cdef-0123-456789abcdef"]"#)]),
            Case(
                .json, "Array(Decimal(38, 2))", element: .decimal(precision: 38, scale: 2),
                [("[1.5,-0.01]", "[1.5,-0.01]")]),
            Case(
                .json, "Map(String, Float64)", mapValue: .double,
                [("{}", "{}"), (#"{"t":0.5,"":2}"#, #"{"t":0.5,"":2}"#)]),
            Case(.json, "Map(String, Int64)", mapValue: .long, [(#"{ "a" : 1 , "b" : -1 }"#, #"{"a":1,"b":-1}"#)]),
            Case(.json, "Map(String, String)", mapValue: .string, [(#"{"ä\"":"x"}"#, #"{"ä\"":"x"}"#)]),
            Case(.json, "Map(String, Bool)", mapValue: .boolean, [(#"{"on":true}"#, #"{"on":true}"#)]),
            Case(
                .json, "Map(String, DateTime64(3, 'UTC'))", mapValue: .timestamp,
                [(#"{"at":0}"#, #"{"at":"1970-01-01 00:00:00.000"}"#)]),
            Case(
                .json, "Map(String, Decimal(9, 2))", mapValue: .decimal(precision: 9, scale: 2),
                [(#"{"p":"1.25"}"#, #"{"p":1.25}"#)]),
        ]

        private func types(_ server: ModernServer, _ database: String) throws -> String {
            try server.sql(
                "SELECT type FROM system.columns WHERE database = '\(database)' AND name IN ('c', 'optional') "
                    + "ORDER BY name FORMAT TSVRaw")
        }

        @Test(
            "the engine has the type, and reads back what was written and null", arguments: scalarCases,
            ["gzip", "none"])
        func scalar(type: Case, compression: String) throws {
            let (server, database) = try Modern.database()
            var optional = type.column
            optional.name = "optional"
            optional.isNullable = true
            let table = TableDefinition("values", [ColumnSpec("n", .int), type.column, optional])
            var configuration = server.configuration(database)
            configuration.others["compression"] = compression
            let sink = try configuration.open()
            try sink.apply(table)
            #expect(try sink.plan(table) == TableChange.none)
            try sink.write(
                RecordBatch(
                    table,
                    type.values.enumerated().flatMap { index, value -> [[Value]] in
                        [
                            [.integer(Int128(index * 2)), value.0, value.0],
                            [.integer(Int128(index * 2 + 1)), value.0, nil],
                        ]
                    }), to: table)
            try sink.close()
            #expect(try types(server, database) == "\(type.declared)\nNullable(\(type.declared))")
            let expected = type.values.flatMap { ["[\($0.1), \($0.1)]", "[\($0.1), null]"] }.joined(separator: "\n")
            #expect(try server.json("SELECT c, optional FROM \(database).values FINAL ORDER BY n") == expected)
        }

        @Test("arrays and maps are arrays and maps; those that may be null stay text", arguments: nestedCases)
        func nested(type: Case) throws {
            let (server, database) = try Modern.database()
            var optional = type.column
            optional.name = "optional"
            optional.isNullable = true
            let table = TableDefinition(
                "values", [ColumnSpec("n", .int), type.column, ColumnSpec("after", .string), optional])
            let sink = try server.configuration(database).open()
            try sink.apply(table)
            #expect(try sink.plan(table) == TableChange.none)
            try sink.write(
                RecordBatch(
                    table,
                    type.values.enumerated().map { [.integer(Int128($0)), $1.0, "after", $0 == 0 ? $1.0 : nil] }),
                to: table)
            try sink.close()
            #expect(try types(server, database) == "\(type.declared)\nNullable(String)")
            let rows = try server.json("SELECT c, after FROM \(database).values FINAL ORDER BY n")
            #expect(rows == type.values.map { "[\($0.1), \"after\"]" }.joined(separator: "\n"))
            #expect(
                try server.sql("SELECT isNull(optional) FROM \(database).values FINAL ORDER BY n")
                    == type.values.indices.map { $0 == 0 ? "0" : "1" }.joined(separator: "\n"))
        }

        @Test("numbers that JSON lacks, and bytes that are no text")
        func special() throws {
            let (server, database) = try Modern.database()
            let table = TableDefinition(
                "odd",
                [
                    ColumnSpec("n", .int), ColumnSpec("d", .double), ColumnSpec("list", .json, element: .float),
                    ColumnSpec("b", .bytes), ColumnSpec("blobs", .json, element: .bytes),
                ])
            let sink = try server.configuration(database).open()
            try sink.apply(table)
            try sink.write(
                RecordBatch(
                    table,
                    [
                        [
                            1, .double(.nan), #"["NaN","Infinity","-Infinity"]"#, .bytes([0xFF, 0x00]),
                            #"["ÿ\u0000",""]"#,
                        ],
                        [2, .double(-.infinity), "[]", .bytes([]), "[]"],
                    ]), to: table)
            try sink.flush()
            #expect(
                try server.sql(
                    "SELECT d, list, hex(b), arrayMap(x -> hex(x), blobs) FROM \(database).odd ORDER BY n")
                    == "nan\t[nan,inf,-inf]\tFF00\t['FF00','']\n-inf\t[]\t\t[]")
        }
    }
}
