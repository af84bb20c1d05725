/// The Confluent wire format: a zero byte, the schema's id (four bytes, big-endian), then the Avro datum.
public enum WireFormat {
    /// Bytes before the datum.
    public static let headerLength = 5

    /// The schema id of a message; nil when it does not begin with the header.
    @inlinable
    public static func schemaID(of message: UnsafeRawBufferPointer) -> Int32? {
        guard message.count >= headerLength, message[0] == 0 else { return nil }
        let raw = message.loadUnaligned(fromByteOffset: 1, as: UInt32.self)
        return Int32(bitPattern: UInt32(bigEndian: raw))
    }

    /// Writes the five bytes of the header.
    @inlinable
    public static func write(schemaID: Int32, to start: UnsafeMutablePointer<UInt8>) {
        start[0] = 0
        UnsafeMutableRawPointer(start + 1).storeBytes(of: UInt32(bitPattern: schemaID).bigEndian, as: UInt32.self)
    }
}
