/// Kafka's 32-bit murmur2, the hash of its default partitioner.
///
/// Source: MurmurHash2 by Austin Appleby (public domain), with the seed 0x9747b28c of
/// `org.apache.kafka.common.utils.Utils.murmur2`; tested with the vectors of Kafka's own tests.
@inlinable
public func murmur2(_ bytes: UnsafeRawBufferPointer) -> Int32 {
    let m: UInt32 = 0x5BD1_E995
    var hash: UInt32 = 0x9747_B28C ^ UInt32(truncatingIfNeeded: bytes.count)
    guard let base = bytes.baseAddress else { return Int32(bitPattern: murmur2Finish(hash)) }
    var cursor = base
    var rest = bytes.count
    while rest >= 4 {
        var k = UInt32(littleEndian: cursor.loadUnaligned(as: UInt32.self))
        k = k &* m
        k ^= k &>> 24
        k = k &* m
        hash = (hash &* m) ^ k
        cursor += 4
        rest &-= 4
    }
    if rest >= 3 { hash ^= UInt32(cursor.load(fromByteOffset: 2, as: UInt8.self)) &<< 16 }
    if rest >= 2 { hash ^= UInt32(cursor.load(fromByteOffset: 1, as: UInt8.self)) &<< 8 }
    if rest >= 1 { hash = (hash ^ UInt32(cursor.load(as: UInt8.self))) &* m }
    return Int32(bitPattern: murmur2Finish(hash))
}

@inlinable
func murmur2Finish(_ hash: UInt32) -> UInt32 {
    var hash = hash
    hash ^= hash &>> 13
    hash = hash &* 0x5BD1_E995
    return hash ^ (hash &>> 15)
}

/// The partition of a key among `partitions` (at least 1), as Kafka's default partitioner chooses it.
@inlinable
public func kafkaPartition(ofKey key: UnsafeRawBufferPointer, partitions: Int) -> Int {
    Int(murmur2(key) & 0x7FFF_FFFF) % partitions
}
