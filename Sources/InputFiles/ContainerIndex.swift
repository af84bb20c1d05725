internal import AvroSchema
internal import Compression
internal import DataPath
internal import Glibc
internal import Synchronization

/// Where the blocks of an Avro container begin, found by stepping from head to head. Threads: any.
///
/// It remembers one place for each chunk of the file up to the one that was asked for last: 24 bytes for a MiB.
final class ContainerIndex: Sendable {
    /// Where a block begins.
    struct Place: Hashable {
        var offset: Int
        /// Those before it.
        var blocks: Int
        var records: Int
    }

    enum Finding: Hashable {
        /// The first block that begins in the chunk or behind it.
        case place(Place)
        /// No block does; the file holds so many records.
        case end(records: Int)
        /// What lies behind this block cannot be told, as the block is damaged.
        case damage(Place)
    }

    private struct State: Sendable {
        /// By chunk.
        var places: [Place] = []
        /// The block to look at next; the marker before it is not looked at yet.
        var next: Place
        /// The block before.
        var previous: Place
        var ending: Finding?
    }

    let chunkBytes: Int
    private let path: String
    /// Of the file when it was opened, in bytes.
    let size: Int
    private let marker: [UInt8]
    private let state: Mutex<State>

    /// The first block begins at `start`. Blocks that begin at `size` bytes or later are not of the file.
    init(path: String, start: Int, size: Int, marker: [UInt8], chunkBytes: Int = Int(LineLane.chunkBytes)) {
        let place = Place(offset: start, blocks: 0, records: 0)
        (self.path, self.size, self.marker, self.chunkBytes) = (path, size, marker, chunkBytes)
        state = Mutex(State(next: place, previous: place))
    }

    /// Throws ``InputError``.
    func start(of chunk: Int) throws -> Finding {
        try state.withLock { state in
            if chunk >= state.places.count { try scan(&state) { $0.places.count > chunk } }
            if chunk < state.places.count { return .place(state.places[chunk]) }
            return state.ending ?? .end(records: state.next.records)
        }
    }

    /// The chunk in which the block begins that has the record of that number, or the last one that is known.
    /// Throws ``InputError``.
    func chunk(of record: Int) throws -> Int {
        try state.withLock { state in
            try scan(&state) { ($0.places.last?.records ?? 0) > record }
            // Places are in the order of records.
            var (low, high) = (0, state.places.count)
            while low < high {
                let middle = (low + high) / 2
                if state.places[middle].records <= record { low = middle + 1 } else { high = middle }
            }
            return max(low - 1, 0)
        }
    }

    private func scan(_ state: inout State, until isDone: (State) -> Bool) throws {
        guard state.ending == nil, !isDone(state) else { return }
        let file = try PlacedFile(path: path)
        while state.ending == nil, !isDone(state) { try step(&state, file) }
    }

    /// Looks at the marker before the next block and at its head.
    private func step(_ state: inout State, _ file: PlacedFile) throws {
        // An integer takes ten bytes at most.
        try withUnsafeTemporaryAllocation(byteCount: marker.count + 20, alignment: 1) { bytes in
            let place = state.next
            let count = try file.read(at: place.offset - marker.count, into: bytes)
            guard count >= marker.count, marker.elementsEqual(bytes.prefix(marker.count)) else {
                state.ending = .damage(state.previous)
                return
            }
            guard place.offset < size, count > marker.count, let base = bytes.baseAddress else {
                state.ending = .end(records: place.records)
                return
            }
            while state.places.count * chunkBytes <= place.offset { state.places.append(place) }
            let head = UnsafePointer(base.assumingMemoryBound(to: UInt8.self))
            var cursor = head + marker.count
            guard let records = AvroVarint.read(&cursor, head + count),
                let size = AvroVarint.read(&cursor, head + count),
                (0...Int64(AvroContainerReader.blockByteLimit)).contains(size),
                (0...AvroContainerReader.recordLimit(storedBytes: size)).contains(records)
            else {
                state.ending = .damage(place)
                return
            }
            state.previous = place
            // The marker that was read stands before the head, the one behind the block after it.
            state.next.offset += cursor - head + Int(size)
            state.next.blocks += 1
            state.next.records += Int(records)
        }
    }
}
