internal import Compression
internal import DataPath
internal import Diagnostics
internal import Glibc
internal import Synchronization

/// The numbers of an NDJSON file's records, the lines that are not blank. Only events without an id of their own need them: then
/// the file is looked through once more, up to the last of those. Threads: any; one looks, the others wait.
///
/// It remembers one place for each chunk of the file: 16 bytes for a MiB.
final class LineIndex: RecordNumbering {
    let fileName: String
    private let chunkBytes: Int
    private let state: Mutex<State>

    private struct State {
        /// By chunk, its first line.
        var places = [LinePlace()]
        /// By lane, what was asked for last: readers go forward.
        var reached = [LinePlace](repeating: LinePlace(), count: LineLane.count)
        let scanner: LineScanner
    }

    /// - Parameters:
    ///   - fileName: As it was given.
    ///   - path: Where the file is. It stays open, so it is the same file for the whole run.
    ///
    /// Throws ``InputError``.
    init(fileName: String, path: String, chunkBytes: Int64 = LineLane.chunkBytes) throws(InputError) {
        (self.fileName, self.chunkBytes) = (fileName, Int(chunkBytes))
        state = Mutex(State(scanner: try LineScanner(path: path)))
    }

    func number(ofRecordAt offset: Int64) throws -> Int {
        do {
            return try state.withLock { try find(Int(offset), &$0).records + 1 }
        } catch let error as InputError {
            throw PipelineError(
                .inputNotReadable, "cannot read '\(fileName)': \(error.reason)",
                hint: "what was counted is kept: run it again when the file can be read", component: "input")
        }
    }

    private func find(_ offset: Int, _ state: inout State) throws -> LinePlace {
        let chunk = offset / chunkBytes
        while state.places.count <= chunk {
            var next = state.places[state.places.count - 1]
            try state.scanner.advance(&next, to: state.places.count * chunkBytes)
            state.places.append(next)
        }
        let lane = chunk % state.reached.count
        let reached = state.reached[lane]
        var place = state.places[chunk]
        if reached.lineStart > place.lineStart, reached.lineStart <= offset { place = reached }
        try state.scanner.advance(&place, to: offset)
        state.reached[lane] = place
        return place
    }
}

/// Where a line begins, and how many records begin before it.
private struct LinePlace {
    var lineStart = 0
    var records = 0
}

/// Counts records between places of a file. Threads: one at a time.
private final class LineScanner {
    private let path: String
    private let file: PlacedFile
    private let window = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 1)

    init(path: String) throws(InputError) {
        self.path = path
        file = try PlacedFile(path: path)
    }

    deinit { window.deallocate() }

    /// Goes on to the first line that begins at `end` or later, of which there must be one.
    func advance(_ place: inout LinePlace, to end: Int) throws {
        guard place.lineStart < end, let bytes = window.baseAddress else { return }
        var start = place.lineStart
        var isBlank = true
        while true {
            let count = try file.read(at: start, into: window)
            guard count > 0 else { throw InputError(source: path, reason: "it is shorter than it was") }
            var position = start == 0 ? LineLane.markLength(UnsafeRawBufferPointer(rebasing: window[..<count])) : 0
            while position < count {
                if isBlank {
                    if LineLane.isBlankOfLine(window[position]) {
                        position += 1
                        continue
                    }
                    isBlank = false
                    if window[position] != UInt8(ascii: "\n") { place.records += 1 }
                }
                guard let found = memchr(bytes + position, 0x0A, count - position) else { break }
                position = UnsafeRawPointer(bytes).distance(to: UnsafeRawPointer(found)) + 1
                place.lineStart = start + position
                if place.lineStart >= end { return }
                isBlank = true
            }
            start += count
        }
    }
}
