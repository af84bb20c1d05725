internal import DataPath
internal import Diagnostics
internal import PluginAPI

/// A worker's part of a checkpoint on its way to the leader: the bytes of a checkpoint that holds nothing else.
extension RunControl.Report {
    private static let stateSection = "state"
    private static let positionPrefix = "position:"

    func encoded() -> [UInt8] {
        var sections = [
            Checkpoint.Section(name: Self.stateSection, fingerprint: "", positions: [], shards: [], chains: state)
        ]
        sections += positions.map {
            Checkpoint.Section(
                name: Self.positionPrefix + $0.section, fingerprint: "", positions: [$0.position], shards: [])
        }
        return Checkpoint(sequence: 0, epoch: 0, hashKey: HashKey(k0: 0, k1: 0), sections: sections + letters).encoded()
    }

    /// Throws ``Checkpoint/DecodingFailure`` for other bytes.
    init(decoding bytes: [UInt8]) throws {
        let sections = try Checkpoint(decoding: bytes).sections
        guard let first = sections.first, first.name == Self.stateSection else {
            throw Checkpoint.DecodingFailure.damaged
        }
        self.init(positions: [], state: first.chains, letters: [])
        for section in sections.dropFirst() {
            if section.name.hasPrefix(Self.positionPrefix), let position = section.positions.first {
                positions.append(
                    RunControl.SectionPosition(
                        section: String(section.name.dropFirst(Self.positionPrefix.count)), position: position))
            } else {
                letters.append(section)
            }
        }
    }

    /// Writes it to the checkpoint's folder.
    func save(_ files: any CheckpointFiles, _ folder: String, epoch: UInt64, barrier: Int, worker: Int) throws
        -> ClusterMessage.ReportPlace
    {
        let writer = try StateFileWriter(
            folder: folder, name: "\(StateFile.prefix)\(epoch)-\(barrier)-report-\(worker)", files: files)
        try encoded().withUnsafeBytes { try writer.append($0) }
        let place = writer.finish()
        // The checkpoint that is made of it is durable.
        try writer.close(isDurable: false)
        return ClusterMessage.ReportPlace(
            worker: worker, file: place.name, length: place.length, checksum: place.checksum)
    }

    /// Reads what ``save(_:_:epoch:barrier:worker:)`` has written.
    init(_ place: ClusterMessage.ReportPlace, _ files: any CheckpointFiles, _ folder: String) throws {
        let file = StateFile(name: place.file, offset: 0, length: place.length, checksum: place.checksum)
        var bytes: [UInt8] = []
        do {
            try StateFileReader(folder: folder, files: files).forEachPiece(of: file) { bytes += $0 }
            try self.init(decoding: bytes)
        } catch is StateFileReader.Damage, is Checkpoint.DecodingFailure {
            throw PipelineError(
                .checkpointStorage, "\(folder)/\(place.file), which another process of the cluster wrote, is not there",
                hint: "runtime.checkpoint.path must be one folder that all of them reach", exitCode: 1)
        }
    }
}
