import Diagnostics
import DurableFiles

/// The sentences of the event log's errors: one place, so that all say path, cause and what to do.
enum LogErrors {
    static let owner = FileOwner(
        component: "event log", setting: "the broker's 'path'",
        room: "free space, or let topics expire with retention.ms or retention.bytes",
        codes: .init(notAccessible: .logNotAccessible, failed: .logFailed, full: .logFull))

    /// A file or folder cannot be opened or created.
    static func notAccessible(_ path: String, _ action: String, _ code: Int32) -> PipelineError {
        owner.notAccessible(path, action, code)
    }

    static func failed(_ path: String, _ action: String, _ code: Int32) -> PipelineError {
        owner.failed(path, action, code)
    }

    static func corrupted(_ path: String, at position: Int64, _ what: String, hint: String? = nil) -> PipelineError {
        PipelineError(
            .logCorrupted, "corrupted log segment \(path), byte \(position): \(what)",
            hint: hint
                ?? "put the file back from a copy; without one, move the topic's folder away and fill the topic again",
            component: "event log")
    }

    static func damagedFile(_ path: String, _ what: String, hint: String) -> PipelineError {
        PipelineError(.logCorrupted, "\(path) is damaged: \(what)", hint: hint, component: "event log")
    }
}
