/// The version of a ClickHouse server, and what it can do. Sources: the changelogs of ClickHouse.
struct ServerVersion: Comparable, CustomStringConvertible {
    let year: Int
    let release: Int
    let description: String

    /// Nil when the text does not begin with two numbers: `18.16.1`, `24.3.1.2672-lts`.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 2, let year = Int(parts[0]), let release = Int(parts[1]) else { return nil }
        self.year = year
        self.release = release
        description = text
    }

    init(_ year: Int, _ release: Int) {
        self.year = year
        self.release = release
        description = "\(year).\(release)"
    }

    static func < (a: ServerVersion, b: ServerVersion) -> Bool { (a.year, a.release) < (b.year, b.release) }
    static func == (a: ServerVersion, b: ServerVersion) -> Bool { (a.year, a.release) == (b.year, b.release) }

    static let dateTime64 = ServerVersion(20, 1)
    static let date32 = ServerVersion(21, 9)
    static let bool = ServerVersion(21, 12)
    /// `Map` is there before, as an experiment.
    static let map = ServerVersion(21, 12)

    /// The setting `async_insert`: a profile may have it on, and then an insert is answered before it is stored.
    var hasAsyncInsert: Bool { self >= ServerVersion(21, 11) }
    /// The setting `insert_deduplication_token`, also for tables that are not replicated.
    var hasDeduplicationToken: Bool { self >= ServerVersion(22, 2) }
    /// The setting `final`: tables are read as if FINAL stood behind each.
    var hasFinalSetting: Bool { self >= ServerVersion(23, 2) }
}
