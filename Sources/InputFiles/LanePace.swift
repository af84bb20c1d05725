internal import Synchronization

/// Keeps the lanes of a file close to each other: one that is ahead waits. Threads: any.
///
/// Windows stay open until the last lane has passed them, so a lane that ran ahead would keep as many windows in memory as lie
/// between. Lanes that nobody reads, or that are read to their end, hold up none.
final class LanePace: Sendable {
    /// Chunks that a lane may be ahead of the last one: eight of its own, some tenths of a second.
    static let lead = 8 * LineLane.count

    /// By lane, the chunk that it is in.
    private let chunks = Mutex([Int](repeating: .max, count: LineLane.count))

    /// Whether a lane that has come to `chunk` may read there; the last one always may.
    func mayRead(_ chunk: Int, lane: Int) -> Bool {
        chunks.withLock { chunks in
            chunks[lane] = chunk
            return chunk - Self.lead <= chunks.min() ?? chunk
        }
    }

    /// The lane is read to its end, or not read any more.
    func leave(_ lane: Int) { chunks.withLock { $0[lane] = .max } }
}
