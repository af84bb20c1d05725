/// A run of bytes in a file beside the checkpoint: a part of the state of one aggregation in one shard.
///
/// It is a sequence of pieces, each with its length (u32), its CRC-32C (u32) and its bytes, least significant byte first.
package struct StateFile: Equatable, Hashable, Sendable {
    /// Of the file in the checkpoint's folder.
    package var name: String
    package var offset: Int
    package var length: Int
    /// CRC-32C of the pieces' checksums, so that no piece can be missing, doubled or of another file.
    package var checksum: UInt32

    package init(name: String, offset: Int, length: Int, checksum: UInt32) {
        self.name = name
        self.offset = offset
        self.length = length
        self.checksum = checksum
    }

    /// All names begin so; files in the folder that no checkpoint names are left over.
    static let prefix = "state-"
    static let headerBytes = 8

    /// The name of one worker's file.
    static func name(epoch: UInt64, barrier: Int, worker: Int) -> String { "\(prefix)\(epoch)-\(barrier)-\(worker)" }

    /// Of the run that wrote the file.
    var epoch: UInt64 { Self.epoch(ofName: name) ?? 0 }

    /// Of the run that wrote it; nil for a file that is no such one.
    static func epoch(ofName name: String) -> UInt64? {
        guard name.hasPrefix(prefix) else { return nil }
        return UInt64(name.dropFirst(prefix.count).prefix { $0 != "-" })
    }

    /// It lies in the checkpoint's folder and nowhere else.
    var isPlain: Bool { name.hasPrefix(Self.prefix) && !name.contains("/") && offset >= 0 && length >= 0 }
}
