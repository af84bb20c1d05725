import Diagnostics
import DurableFiles

/// The ends of a partition, found without a lock.
struct PartitionEnd {
    var earliest: Int64
    var next: Int64
    /// Up to where the last segment has been walked, for the next look.
    var base: Int64
    var position: Int64

    static func find(_ folder: PartitionFolder, from known: PartitionEnd? = nil) throws(PipelineError) -> PartitionEnd {
        while true {
            let bases = try folder.segmentBases()
            guard let earliest = bases.first, let last = bases.last else {
                return PartitionEnd(earliest: 0, next: 0, base: 0, position: 0)
            }
            // Removed by retention since it was listed: look again.
            guard let file = try LogFile(reading: folder.segmentPath(last)) else { continue }
            let size = try file.status().size
            var start: (position: Int64, offset: Int64) = (0, last)
            if let known, known.base == last, known.position <= size { start = (known.position, known.next) }
            let place = try SegmentScanner(file).walk(from: start.position, offset: start.offset, size: size)
            return PartitionEnd(earliest: earliest, next: place.offset, base: last, position: place.position)
        }
    }
}
