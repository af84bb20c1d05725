/// Memory for the texts of a table's cells. What was given stays where it is until ``removeAll()``.
///
/// Threads: one at a time.
final class CellArena {
    private struct Chunk {
        var base: UnsafeMutablePointer<UInt8>
        var capacity: Int
    }

    private var chunks: [Chunk] = []
    private var chunk = 0
    private var used = 0
    private static let chunkBytes = 1 << 16

    deinit { for chunk in chunks { chunk.base.deallocate() } }

    /// Forgets everything. Chunks of the usual size are kept.
    func removeAll() {
        for large in chunks where large.capacity > Self.chunkBytes { large.base.deallocate() }
        chunks.removeAll { $0.capacity > Self.chunkBytes }
        (chunk, used) = (0, 0)
    }

    /// A copy of the bytes.
    func copy(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<CChar> {
        let place = UnsafeMutableRawPointer(room(bytes.count))
        if let base = bytes.baseAddress { place.copyMemory(from: base, byteCount: bytes.count) }
        return UnsafePointer(place.assumingMemoryBound(to: CChar.self))
    }

    private func room(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        while chunk < chunks.count {
            if used + count <= chunks[chunk].capacity {
                defer { used += count }
                return chunks[chunk].base + used
            }
            chunk += 1
            used = 0
        }
        let capacity = max(count, Self.chunkBytes)
        let base = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        chunks.append(Chunk(base: base, capacity: capacity))
        used = count
        return base
    }
}
