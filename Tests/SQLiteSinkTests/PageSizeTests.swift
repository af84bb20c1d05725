import Foundation
import PluginAPI
import SQLiteClient
import Testing

@Suite("Pages of a SQLite database")
struct PageSizeTests {
    @Test("are of 8 KiB where the sink makes it; a database that is there keeps its own", arguments: [nil, 4096])
    func size(existing: Int64?) throws {
        let scratch = Scratch()
        if let existing {
            try FileManager.default.createDirectory(at: scratch.root, withIntermediateDirectories: true)
            try scratch.execute("PRAGMA page_size=\(existing); CREATE TABLE t (n INTEGER)")
        }
        try scratch.open().close()
        #expect(try scratch.cells("PRAGMA page_size") == [.integer(existing ?? 8192)])
    }
}
