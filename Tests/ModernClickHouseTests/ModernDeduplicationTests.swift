import ClickHouseTesting
import DataPath
import PluginAPI
import Testing

extension Modern {
    /// Tables keep every row here: what a merge would forget would hide what was inserted twice.
    @Suite("deduplication")
    struct ModernDeduplicationTests {
        /// A sink with the table `counts`, behind `front` if there is one.
        private func sink(_ front: Front? = nil) throws -> (server: ModernServer, database: String, sink: any Sink) {
            let (server, database) = try Modern.database()
            let sink = try server.configuration(database, url: front?.url).open()
            try sink.apply(.counts)
            try server.sql("SYSTEM STOP MERGES \(database).counts")
            return (server, database, sink)
        }

        @Test("a request whose answer was lost is sent again, and its rows are there once", arguments: [1, 2])
        func lostAnswer(times: Int) throws {
            let front = try Front(beforePort: Modern.shared.get().port)
            let (server, database, sink) = try sink(front)
            try sink.write(TableDefinition.rows(0..<500), to: .counts)
            let before = front.requests.components("insert_deduplication_token=")
            try front.disturb("cut_answer", requests: times)
            if times == 2 {
                // A connection that breaks is tried once more at once; that answer gets lost too. The next flush sends the
                // same rows.
                #expect(throws: (any Error).self) { try sink.flush() }
                try front.disturb("pass")
            }
            try sink.flush()
            let tokens = front.requests.components("insert_deduplication_token=").dropFirst(before.count)
                .map { $0.prefix(32) }
            #expect(tokens.count >= 2)
            #expect(Set(tokens).count == 1)
            #expect(try server.sql("SELECT count() FROM \(database).counts") == "500")
        }

        @Test("rows that come again with a new version are stored: their token is another")
        func otherVersions() throws {
            let (server, database, sink) = try sink()
            for _ in 1...2 {
                try sink.write(TableDefinition.rows(0..<500), to: .counts)
                try sink.flush()
            }
            #expect(try server.sql("SELECT count() FROM \(database).counts") == "1000")
            #expect(try server.sql("SELECT count() FROM \(database).counts FINAL") == "500")
        }

        @Test("the table's window is what makes the engine forget a repeated insert")
        func window() throws {
            let (server, database, _) = try sink()
            func insert(_ table: String, token: String, version: Int) throws -> String {
                try server.sql(
                    "INSERT INTO \(database).\(table) VALUES ('a', 1, \(version))",
                    settings: "insert_deduplication_token=\(token)")
                return try server.sql("SELECT count() FROM \(database).\(table)")
            }
            #expect(try insert("counts", token: "a", version: 1) == "1")
            // The token alone counts, whatever the rows are: hence it is a hash of them.
            #expect(try insert("counts", token: "a", version: 2) == "1")
            #expect(try insert("counts", token: "b", version: 3) == "2")
            try server.sql(
                "CREATE TABLE \(database).plain AS \(database).counts ENGINE = ReplacingMergeTree(_version) ORDER BY k")
            try server.sql("SYSTEM STOP MERGES \(database).plain")
            #expect(try insert("plain", token: "a", version: 1) == "1")
            #expect(try insert("plain", token: "a", version: 1) == "2")
        }
    }
}

extension String {
    /// The text behind each occurrence of `mark`, with what stands before the first.
    fileprivate func components(_ mark: String) -> [Substring] {
        var parts: [Substring] = []
        var rest = self[...]
        while let range = rest.firstRange(of: mark) {
            parts.append(rest[..<range.lowerBound])
            rest = rest[range.upperBound...]
        }
        return parts + [rest]
    }
}
