import DataPath

/// Instants for people.
enum TimeText {
    /// `2026-11-21 13:45:30` in UTC.
    static func utc(_ milliseconds: Int64) -> String {
        String(TextFormat.timestamp(milliseconds, style: .sqlite).prefix(19))
    }
}
