public import Diagnostics

/// What provisioning has to do to checkpoints.
public enum CheckpointMaintenance {
    /// Throws ``PipelineError`` `SP6101` while a run holds the domain.
    public static func requireNoRun(folder: String) throws(PipelineError) {
        withExtendedLifetime(try CheckpointStore(folder: folder).lock()) {}
    }

    /// Makes the next run count these tables from the earliest offset: they are new or empty.
    ///
    /// Throws ``PipelineError`` `SP6101` while a run holds the domain, also without any table: it would go on by the old
    /// definition.
    public static func forget(tables: Set<String>, folder: String) throws(PipelineError) {
        let store = CheckpointStore(folder: folder)
        let lock = try store.lock()
        defer { withExtendedLifetime(lock) {} }
        guard var checkpoint = try store.load() else { return }
        let kept = checkpoint.sections.filter { section in
            !tables.contains { section.name == $0 || section.name == "raw:\($0)" }
        }
        guard kept.count < checkpoint.sections.count else { return }
        checkpoint.sections = kept
        try store.save(checkpoint)
    }
}
