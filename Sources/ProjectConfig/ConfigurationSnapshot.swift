internal import PluginAPI
internal import YAMLTree

/// What the files of a configuration hold at one moment. Two are equal when every byte is.
///
/// Links are followed, so a folder that is swapped as a whole (a Kubernetes ConfigMap's `..data`) is seen like an edit.
/// Cost: one read of each file, a few kilobytes together.
public struct ConfigurationSnapshot: Equatable, Sendable {
    private enum Content: Equatable, Sendable {
        case bytes([UInt8])
        case unreadable(FileReadError)
    }

    private var contents: [String: Content] = [:]

    /// Reads the files; one that is not there is a content, too.
    public init(of files: [String]) {
        for file in files {
            do throws(FileReadError) {
                contents[file] = .bytes(try FileBytes(path: file, byteLimit: YAMLTree.byteLimit).bytes)
            } catch {
                contents[file] = .unreadable(error)
            }
        }
    }
}
