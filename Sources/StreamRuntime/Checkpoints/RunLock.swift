public import Diagnostics

/// Makes this process the only runner of a domain on this machine, for as long as the value lives. Threads: any.
///
/// Several pipelines may run under it, one after the other: between them nobody else can take the domain.
public final class RunLock: Sendable {
    let folder: String
    let lock: CheckpointStore.Lock

    /// Throws ``PipelineError`` `SP6101` while another run holds the domain.
    ///
    /// - Parameter folder: Where the domain's checkpoints live; absolute.
    public convenience init(folder: String) throws(PipelineError) {
        try self.init(folder: folder, files: MachineFiles())
    }

    init(folder: String, files: any CheckpointFiles) throws(PipelineError) {
        self.folder = folder
        lock = try CheckpointStore(folder: folder, files: files).lock()
    }
}
