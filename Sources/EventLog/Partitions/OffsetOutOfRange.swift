import Diagnostics

/// The position is not in the partition: retention removed it, or it never was there.
public struct OffsetOutOfRange: Error, Sendable {
    public var topic: String
    public var partition: Int
    public var position: Int64
    /// The first offset that can be read.
    public var earliest: Int64
    /// The offset that the next record will get.
    public var next: Int64
}
