import Foundation
import SQLiteClient
import Synchronization
import Testing

@Suite("Several writers of one SQLite file")
struct SQLiteLockWaitTests {
    private final class BusyWriter: Sendable {
        private let hasEnded = Atomic<Bool>(false)
        var isRunning: Bool { !hasEnded.load(ordering: .acquiring) }

        /// Holds the lock nearly all the time, on a thread of its own.
        func start(_ path: String) {
            Thread.detachNewThread { [self] in
                defer { hasEnded.store(true, ordering: .releasing) }
                do {
                    let connection = try SQLiteConnection(path: path)
                    for _ in 0..<60 {
                        try connection.transaction {
                            try connection.execute("INSERT INTO t VALUES ('busy')")
                            usleep(50_000)
                        }
                        usleep(3000)
                    }
                } catch {
                    Issue.record(error)
                }
            }
        }
    }

    @Test("beside a writer that leaves short gaps another one comes to its turn again and again")
    func noneStarves() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sqlite-lock-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("results.db").path
        let other = try SQLiteConnection(path: path)
        try other.execute("PRAGMA journal_mode = wal; CREATE TABLE t (who TEXT)")
        let busy = BusyWriter()
        busy.start(path)
        var turns = 0
        while busy.isRunning {
            try other.transaction { try other.execute("INSERT INTO t VALUES ('other')") }
            turns += 1
            usleep(1000)
        }
        // Asked for ten times a second, the gaps would be met a few times at most.
        #expect(turns >= 30)
    }
}
