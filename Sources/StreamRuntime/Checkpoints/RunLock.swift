public import Diagnostics

/// Makes this process the only runner of a domain on this machine, or one of a cluster's, for as long as the value lives.
/// Threads: any.
///
/// Several pipelines may run under it, one after the other: between them nobody else can take the domain.
public final class RunLock: Sendable {
    let folder: String
    let lock: CheckpointStore.Lock

    /// Throws ``PipelineError`` `SP6101` while another run holds the domain.
    ///
    /// - Parameters:
    ///   - folder: Where the domain's checkpoints live; absolute.
    ///   - isShared: Other processes of a cluster may have it, too; a single run may not.
    public convenience init(folder: String, isShared: Bool = false) throws(PipelineError) {
        try self.init(folder: folder, isShared: isShared, files: MachineFiles())
    }

    init(folder: String, isShared: Bool, files: any CheckpointFiles) throws(PipelineError) {
        self.folder = folder
        lock = try CheckpointStore(folder: folder, files: files).lock(isShared: isShared)
    }
}
