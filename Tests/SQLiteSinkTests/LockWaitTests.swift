import Foundation
import SQLiteClient
import Synchronization
import Testing

@Suite("Several writers of one SQLite file")
struct SQLiteLockWaitTests {
    private final class End: Sendable {
        let hasCome = Atomic<Bool>(false)
    }

    @Test("beside a writer that leaves short gaps another one comes to its turn again and again")
    func noneStarves() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sqlite-lock-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("results.db").path
        try SQLiteConnection(path: path).execute("PRAGMA journal_mode = wal; CREATE TABLE t (who TEXT)")
        let end = End()
        let turns = try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask {
                let busy = try SQLiteConnection(path: path)
                for _ in 0..<60 {
                    try busy.transaction {
                        try busy.execute("INSERT INTO t VALUES ('busy')")
                        usleep(50_000)
                    }
                    usleep(3000)
                }
                end.hasCome.store(true, ordering: .releasing)
                return 0
            }
            group.addTask {
                let other = try SQLiteConnection(path: path)
                var turns = 0
                while !end.hasCome.load(ordering: .acquiring) {
                    try other.transaction { try other.execute("INSERT INTO t VALUES ('other')") }
                    turns += 1
                    usleep(1000)
                }
                return turns
            }
            return try await group.reduce(0, +)
        }
        // Asked for ten times a second, the gaps would be met a few times at most.
        #expect(turns >= 35)
    }
}
