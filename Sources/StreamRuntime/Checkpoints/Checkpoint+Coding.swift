internal import DataPath
internal import PluginAPI

/// Layout, little endian: magic `SPCK`, version (u32), payload length (u64), CRC-32C of the payload (u32), payload.
/// Strings and byte runs carry a u64 length before them. Version 1 had neither epoch nor stores, version 2 no files, and in
/// version 3 a shard's state was one file.
extension Checkpoint {
    static let magic: [UInt8] = Array("SPCK".utf8)
    static let version: UInt32 = 4
    static let oldestVersion: UInt32 = 1

    package enum DecodingFailure: Error, Equatable {
        case notACheckpoint
        case otherVersion(UInt32)
        case damaged
    }

    package func encoded() -> [UInt8] {
        var payload: [UInt8] = []
        payload.put(sequence)
        payload.put(epoch)
        payload.put(hashKey.k0)
        payload.put(hashKey.k1)
        payload.put(UInt64(sections.count))
        for section in sections {
            payload.put(section.name)
            payload.put(section.fingerprint)
            payload.put(UInt64(section.positions.count))
            for position in section.positions {
                payload.put(position.partition.topic)
                payload.put(UInt64(position.partition.partition))
                payload.put(UInt64(bitPattern: position.nextOffset))
                payload.put(UInt64(bitPattern: position.maxEventTime))
            }
            payload.put(UInt64(section.shards.count))
            for shard in section.shards { payload.put(shard) }
            payload.put(UInt64(section.chains.count))
            for chain in section.chains {
                payload.put(UInt64(chain.count))
                for file in chain {
                    payload.put(file.name)
                    payload.put(UInt64(file.offset))
                    payload.put(UInt64(file.length))
                    payload.put(file.checksum)
                }
            }
        }
        payload.put(UInt64(stores.count))
        for store in stores {
            payload.put(store.sink)
            payload.put(store.table)
            payload.put(store.state)
        }
        var file = Checkpoint.magic
        file.reserveCapacity(payload.count + 20)
        file.put(Checkpoint.version)
        file.put(UInt64(payload.count))
        file.put(payload.withUnsafeBytes { CRC32C.checksum($0) })
        file += payload
        return file
    }

    package init(decoding file: [UInt8]) throws(DecodingFailure) {
        var reader = Reader(bytes: file[...])
        guard reader.take(4).map(Array.init) == Checkpoint.magic else { throw .notACheckpoint }
        guard let version: UInt32 = reader.integer() else { throw .damaged }
        guard (Checkpoint.oldestVersion...Checkpoint.version).contains(version) else { throw .otherVersion(version) }
        guard let length: UInt64 = reader.integer(), let checksum: UInt32 = reader.integer(),
            reader.bytes.count == length, Array(reader.bytes).withUnsafeBytes({ CRC32C.checksum($0) }) == checksum
        else { throw .damaged }
        guard let decoded = Checkpoint(payload: &reader, version: version), reader.bytes.isEmpty
        else { throw .damaged }
        self = decoded
    }

    private init?(payload reader: inout Reader, version: UInt32) {
        guard let sequence: UInt64 = reader.integer(), let epoch: UInt64 = version == 1 ? 0 : reader.integer(),
            let k0: UInt64 = reader.integer(), let k1: UInt64 = reader.integer(),
            let sectionCount: UInt64 = reader.integer()
        else { return nil }
        self.init(sequence: sequence, epoch: epoch, hashKey: HashKey(k0: k0, k1: k1), sections: [])
        for _ in 0..<sectionCount {
            guard let name = reader.string(), let fingerprint = reader.string(),
                let positionCount: UInt64 = reader.integer()
            else { return nil }
            var section = Section(name: name, fingerprint: fingerprint, positions: [], shards: [])
            for _ in 0..<positionCount {
                guard let topic = reader.string(), let number: UInt64 = reader.integer(),
                    let partition = Int(exactly: number), let offset: UInt64 = reader.integer(),
                    let maxEventTime: UInt64 = reader.integer()
                else { return nil }
                section.positions.append(
                    Position(
                        partition: TopicPartition(topic: topic, partition: partition),
                        nextOffset: Int64(bitPattern: offset), maxEventTime: Int64(bitPattern: maxEventTime)))
            }
            guard let shardCount: UInt64 = reader.integer() else { return nil }
            for _ in 0..<shardCount {
                guard let shard = reader.run() else { return nil }
                section.shards.append(Array(shard))
            }
            guard let chainCount: UInt64 = version < 3 ? 0 : reader.integer() else { return nil }
            for _ in 0..<chainCount {
                guard let chain = reader.chain(version: version) else { return nil }
                section.chains.append(chain)
            }
            sections.append(section)
        }
        guard version > 1 else { return }
        guard let storeCount: UInt64 = reader.integer() else { return nil }
        for _ in 0..<storeCount {
            guard let sink = reader.string(), let table = reader.string(), let state = reader.run() else { return nil }
            stores.append(Store(sink: sink, table: table, state: Array(state)))
        }
    }
}

extension [UInt8] {
    fileprivate mutating func put(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    fileprivate mutating func put(_ text: String) { put(Array(text.utf8)) }

    fileprivate mutating func put(_ bytes: [UInt8]) {
        put(UInt64(bytes.count))
        append(contentsOf: bytes)
    }
}

private struct Reader {
    var bytes: ArraySlice<UInt8>

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= bytes.count else { return nil }
        defer { bytes = bytes.dropFirst(count) }
        return bytes.prefix(count)
    }

    mutating func integer<Value: FixedWidthInteger>() -> Value? {
        take(MemoryLayout<Value>.size)?.reversed().reduce(0) { $0 << 8 | Value(truncatingIfNeeded: $1) }
    }

    mutating func run() -> ArraySlice<UInt8>? {
        guard let count: UInt64 = integer(), count <= UInt64(bytes.count) else { return nil }
        return take(Int(count))
    }

    mutating func string() -> String? { run().map { String(decoding: $0, as: UTF8.self) } }

    /// The parts of a shard's state: at least one.
    mutating func chain(version: UInt32) -> [StateFile]? {
        guard let count: UInt64 = version < 4 ? 1 : integer(), count > 0 else { return nil }
        var chain: [StateFile] = []
        for _ in 0..<count {
            guard let name = string(), let offset: UInt64 = integer(), let length: UInt64 = integer(),
                let checksum: UInt32 = integer(), let offset = Int(exactly: offset), let length = Int(exactly: length)
            else { return nil }
            let file = StateFile(name: name, offset: offset, length: length, checksum: checksum)
            guard file.isPlain else { return nil }
            chain.append(file)
        }
        return chain
    }
}
