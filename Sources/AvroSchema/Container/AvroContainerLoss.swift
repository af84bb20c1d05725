/// A part of a container file that cannot be read: all of a block, or what follows a fault in it.
public struct AvroContainerLoss: Hashable, Sendable, CustomStringConvertible {
    /// How many bytes of a loss are kept.
    public static let keptBytes = 64 << 10

    /// The block's number in the file, from 1.
    public var block: Int
    /// The number in the file of the first record that is lost, from 1.
    public var firstRecord: Int
    /// How many records are lost; 0 when bytes follow the last one, nil when the block does not say.
    public var recordCount: Int?
    public var reason: String
    /// The beginning of what is lost, unpacked if it could be; at most ``keptBytes``.
    public var bytes: [UInt8]
    /// How many bytes are lost.
    public var byteCount: Int

    public var description: String {
        let lost =
            switch recordCount {
            case nil: "an unknown number of records is lost"
            case 0?: "no record is known to be lost"
            case 1?: "record \(firstRecord) is lost"
            case let count?: "\(count) records, \(firstRecord) to \(firstRecord + count - 1), are lost"
            }
        return "block \(block): \(reason); \(lost)"
    }
}
