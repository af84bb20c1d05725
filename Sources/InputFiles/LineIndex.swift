internal import Compression
internal import DataPath
internal import Diagnostics
internal import Glibc
internal import Synchronization

/// The numbers of an NDJSON file's records, the lines that are not blank. Only events without an id of their own need them: then
/// the file is looked through once more, up to the first of those. Threads: any.
///
/// It remembers one place for each chunk of the file: 16 bytes for a MiB.
final class LineIndex: RecordNumbering {
    /// Where a line begins, and how many records begin before it.
    private struct Place {
        var lineStart = 0
        var records = 0
    }

    let fileName: String
    private let path: String
    private let chunkBytes: Int
    /// By chunk, its first line.
    private let places = Mutex([Place()])

    private static let windowBytes = 1 << 18

    /// - Parameters:
    ///   - fileName: As it was given.
    ///   - path: Where the file is.
    init(fileName: String, path: String, chunkBytes: Int64 = LineLane.chunkBytes) {
        (self.fileName, self.path, self.chunkBytes) = (fileName, path, Int(chunkBytes))
    }

    func number(ofRecordAt offset: Int64) throws -> Int {
        do {
            return try find(Int(offset)).records + 1
        } catch let error as InputError {
            throw PipelineError(
                .inputNotReadable, "cannot read '\(fileName)': \(error.reason)",
                hint: "what was counted is kept: run it again when the file can be read", component: "input")
        }
    }

    private func find(_ offset: Int) throws -> Place {
        let file = try PlacedFile(path: path)
        let chunk = offset / chunkBytes
        return try withUnsafeTemporaryAllocation(byteCount: Self.windowBytes, alignment: 1) { window in
            var place = try places.withLock { places in
                while places.count <= chunk {
                    var next = places[places.count - 1]
                    try advance(&next, to: places.count * chunkBytes, file, window)
                    places.append(next)
                }
                return places[chunk]
            }
            try advance(&place, to: offset, file, window)
            return place
        }
    }

    /// Goes on to the first line that begins at `end` or later, of which there must be one.
    private func advance(
        _ place: inout Place, to end: Int, _ file: PlacedFile, _ window: UnsafeMutableRawBufferPointer
    ) throws {
        guard place.lineStart < end, let bytes = window.baseAddress else { return }
        var start = place.lineStart
        var isBlank = true
        while true {
            let count = try file.read(at: start, into: window)
            guard count > 0 else { throw InputError(source: path, reason: "it is shorter than it was") }
            var position = start == 0 && Self.isMarked(window) ? 3 : 0
            while position < count {
                if isBlank {
                    let byte = window[position]
                    if byte == 0x20 || byte == 0x0D || byte == 0x09 {
                        position += 1
                        continue
                    }
                    isBlank = false
                    if byte != 0x0A { place.records += 1 }
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

    private static func isMarked(_ bytes: UnsafeMutableRawBufferPointer) -> Bool {
        bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF
    }
}
