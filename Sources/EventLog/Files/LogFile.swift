import Diagnostics
import DurableFiles
import Glibc

typealias LogFile = DurableFile
/// The order of keys in our files is ours.
typealias JSONValue = OrderedJSON

extension DurableFile {
    convenience init(path: String, flags: Int32, mode: mode_t = 0o644) throws(PipelineError) {
        try self.init(path: path, flags: flags, mode: mode, owner: LogErrors.owner)
    }

    /// The file for reading, or nil when there is none.
    convenience init?(reading path: String) throws(PipelineError) {
        try self.init(reading: path, owner: LogErrors.owner)
    }
}
