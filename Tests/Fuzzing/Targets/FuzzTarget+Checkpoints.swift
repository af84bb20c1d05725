import DataPath
import StreamRuntime

extension FuzzTarget {
    /// A checkpoint's file: read or refused, and written again as the same checkpoint. An odd first byte puts a right
    /// header, of version 1 to 4, before the bytes, so that what is behind the checksum is reached.
    static let checkpoint = FuzzTarget("checkpoint") { input in
        guard let (variant, contents) = input.variant else { return }
        let file = variant & 1 == 0 ? Array(contents) : framed(contents, version: [1, 3, 4, 2][Int(variant >> 1 & 3)])
        guard let checkpoint = try? Checkpoint(decoding: file) else { return }
        let written = checkpoint.encoded()
        let again = try Checkpoint(decoding: written)
        try promise(again.encoded() == written, "a checkpoint is read back as another one")
    }

    private static func framed(_ payload: UnsafeRawBufferPointer, version: UInt32) -> [UInt8] {
        var file = Array("SPCK".utf8)
        func put(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { file.append(contentsOf: $0) }
        }
        put(version)
        put(UInt64(payload.count))
        put(CRC32C.checksum(payload))
        return file + payload
    }
}
