internal import DataPath

/// One record of an inbox partition: a part of what a worker sends to the shard of another process.
///
/// Layout, least significant byte first: round (i64), sender (u32), number in the sequence of sender and receiver (u64), kind
/// (u8), whether it is the message's last part (u8), then the part.
struct ExchangeMessage: Equatable {
    enum Kind: UInt8 {
        case partial = 0
        case watermarks = 1
        case barrier = 2
    }

    var round: Int64
    var sender: Int
    var sequence: UInt64
    var kind: Kind
    var isLast: Bool

    static let headerBytes = 22

    func header() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerBytes)
        bytes.append(integer: round)
        bytes.append(integer: UInt32(sender))
        bytes.append(integer: sequence)
        bytes += [kind.rawValue, isLast ? 1 : 0]
        return bytes
    }

    /// Nil when it is no such record.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.headerBytes, let kind = Kind(rawValue: bytes[20]) else { return nil }
        round = Int64(littleEndian: bytes.loadUnaligned(as: Int64.self))
        sender = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
        sequence = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt64.self))
        self.kind = kind
        isLast = bytes[21] == 1
    }

    init(round: Int64, sender: Int, sequence: UInt64, kind: Kind, isLast: Bool) {
        (self.round, self.sender, self.sequence, self.kind, self.isLast) = (round, sender, sequence, kind, isLast)
    }
}

extension ShardMessage {
    /// What goes into the inbox of another process.
    func encoded() -> (kind: ExchangeMessage.Kind, bytes: [UInt8]) {
        var bytes: [UInt8] = []
        switch self {
        case .partial(let aggregation, let batch):
            bytes.append(integer: UInt32(aggregation))
            bytes += batch.encoded()
            return (.partial, bytes)
        case .encodedPartial(let aggregation, let batch):
            bytes.append(integer: UInt32(aggregation))
            bytes += batch
            return (.partial, bytes)
        case .watermarks(_, let reports):
            for report in reports {
                bytes.append(integer: report.active)
                bytes.append(integer: report.idle)
            }
            return (.watermarks, bytes)
        case .barrier(_, let number, let published):
            bytes.append(integer: Int64(number))
            for watermark in published { bytes.append(integer: watermark) }
            return (.barrier, bytes)
        }
    }

    /// Nil for bytes that ``encoded()`` did not give in a pipeline of so many aggregations.
    init?(_ kind: ExchangeMessage.Kind, sender: Int, _ bytes: [UInt8], aggregations: Int) {
        func integers(_ bytes: ArraySlice<UInt8>) -> [Int64] {
            bytes.withUnsafeBytes { bytes in
                (0..<bytes.count / 8).map {
                    Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self))
                }
            }
        }
        switch kind {
        case .partial:
            guard bytes.count >= 4 else { return nil }
            let index = bytes.withUnsafeBytes { Int(UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self))) }
            guard index < aggregations else { return nil }
            self = .encodedPartial(aggregation: index, Array(bytes[4...]))
        case .watermarks:
            let values = integers(bytes[...])
            guard bytes.count == aggregations * 16 else { return nil }
            self = .watermarks(
                worker: sender,
                (0..<aggregations).map { WatermarkReport(active: values[$0 * 2], idle: values[$0 * 2 + 1]) })
        case .barrier:
            let values = integers(bytes[...])
            guard bytes.count == 8 + aggregations * 8, let number = Int(exactly: values[0]) else { return nil }
            self = .barrier(worker: sender, number: number, published: Array(values.dropFirst()))
        }
    }
}

extension [UInt8] {
    /// Appends an integer, least significant byte first.
    mutating func append(integer value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}
