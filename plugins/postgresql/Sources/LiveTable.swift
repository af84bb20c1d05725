/// A table as the database has it.
struct LiveTable: Equatable {
    struct Column: Equatable {
        var name: String
        /// As the server's `format_type` writes it.
        var type: String
        var isRequired: Bool
    }

    /// What the catalog table says of a table that is ours.
    struct Entry: Equatable {
        var owner: String
        var key: String
        var fingerprint: String
    }

    /// An ordinary table; else a view, a sequence, a partitioned or foreign table.
    var isOrdinary: Bool
    var columns: [Column]
    /// Nil when streamplat did not make it.
    var entry: Entry?
}
