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
        guard var checkpoint = try store.load().candidates.first else { return }
        let kept = checkpoint.sections.filter { section in
            !tables.contains { section.name == $0 || section.name == "raw:\($0)" }
        }
        let keptStores = checkpoint.stores.filter { !tables.contains($0.table) }
        guard kept.count < checkpoint.sections.count || keptStores != checkpoint.stores else { return }
        checkpoint.sections = kept
        checkpoint.stores = keptStores
        // What `apply` does to a store now takes away its memory of checkpoints.
        checkpoint.epoch = 0
        // The one before still speaks of the tables.
        try store.save(checkpoint, keepingPrevious: false)
    }
}
