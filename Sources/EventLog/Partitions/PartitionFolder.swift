import Diagnostics

/// The files of one partition.
struct PartitionFolder: Sendable {
    let path: String
    let topic: String
    let partition: Int

    /// How messages name it.
    var label: String { "topic \(topic), partition \(partition)" }
    var lockPath: String { "\(path)/lock" }

    func segmentPath(_ base: Int64) -> String {
        let digits = String(base)
        return "\(path)/\(String(repeating: "0", count: 20 - digits.count))\(digits).log"
    }

    /// Base offsets of the segments, ascending.
    func segmentBases() throws(PipelineError) -> [Int64] {
        guard let names = try Folder.names(in: path) else {
            throw PipelineError(
                .logNotAccessible, "the folder \(path) is not there any more",
                hint: "somebody removed the topic's folder",
                component: label, exitCode: 3)
        }
        return names.compactMap { name in
            guard name.utf8.count == 24, name.hasSuffix(".log") else { return nil }
            return Int64(name.dropLast(4)).flatMap { $0 >= 0 ? $0 : nil }
        }.sorted()
    }
}
