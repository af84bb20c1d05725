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
        try forget(tables: tables, under: RunLock(folder: folder))
    }

    /// The same under a lock that the caller holds: between two pipelines of one process.
    public static func forget(tables: Set<String>, under lock: RunLock) throws(PipelineError) {
        let store = CheckpointStore(folder: lock.folder)
        defer { withExtendedLifetime(lock) {} }
        guard !tables.isEmpty, var checkpoint = try store.load().candidates.first else { return }
        let kept = checkpoint.sections.filter { section in
            !tables.contains { section.isOf(table: $0) }
        }
        let keptStores = checkpoint.stores.filter { !tables.contains($0.table) }
        checkpoint.sections = kept
        checkpoint.stores = keptStores
        // Making a table, also one that no checkpoint knows yet, takes away the store's memory of checkpoints.
        checkpoint.epoch = 0
        // The one before still speaks of the tables.
        try store.save(checkpoint, keepingPrevious: false)
    }
}
