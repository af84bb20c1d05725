/// How the blocks of a container file are packed; the raw value is the name in its header.
public enum AvroContainerCodec: String, Sendable, CaseIterable {
    /// Not packed.
    case null
    /// Raw deflate (RFC 1951).
    case deflate
}

/// What reader and writer of container files share.
enum AvroContainer {
    /// `Obj` and the version 1.
    static let magic: [UInt8] = [0x4F, 0x62, 0x6A, 0x01]
}
