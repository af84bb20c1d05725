/// Group keys as bytes that mean the same in every process: per column a flag (0 null, 1 value), then the value.
///
/// Booleans take one byte, integers and doubles 8, decimals 16 (least significant first); strings a length of 32 bits and
/// their bytes. Doubles have one zero and one NaN.
struct GroupKeyCodec: Sendable {
    let types: [PhysicalType]

    init(_ groups: [ColumnSpec]) { types = groups.map(\.type.physical) }

    /// Whether `key` is well formed. ``decode(_:into:row:)`` trusts keys that this has accepted.
    func isValid(_ key: UnsafeRawBufferPointer) -> Bool {
        var cursor = 0
        for type in types {
            guard cursor < key.count, key[cursor] <= 1 else { return false }
            let isNull = key[cursor] == 0
            cursor += 1
            if isNull { continue }
            switch type {
            case .boolean: cursor += 1
            case .int64, .double: cursor += 8
            case .int128: cursor += 16
            case .bytes:
                guard cursor + 4 <= key.count else { return false }
                cursor += 4 + Int(UInt32(littleEndian: key.loadUnaligned(fromByteOffset: cursor, as: UInt32.self)))
            }
            guard cursor <= key.count else { return false }
        }
        return cursor == key.count
    }

    /// Appends the key's values to `columns`, which begin at `first` in the batch.
    func decode(_ key: UnsafeRawBufferPointer, into columns: [ColumnVector], first: Int) throws(AggregationError) {
        var cursor = 0
        for (index, type) in types.enumerated() {
            let isNull = key[cursor] == 0
            cursor += 1
            switch (type, columns[first + index]) {
            case (.boolean, .boolean(let vector)):
                if isNull { vector.appendNull() } else { vector.append(key[cursor] != 0) }
                cursor += isNull ? 0 : 1
            case (.int64, .int64(let vector)):
                if isNull { vector.appendNull() } else { vector.append(load(key, cursor, Int64.self)) }
                cursor += isNull ? 0 : 8
            case (.double, .double(let vector)):
                if isNull {
                    vector.appendNull()
                } else {
                    vector.append(Double(bitPattern: load(key, cursor, UInt64.self)))
                }
                cursor += isNull ? 0 : 8
            case (.int128, .int128(let vector)):
                if isNull { vector.appendNull() } else { vector.append(load(key, cursor, Int128.self)) }
                cursor += isNull ? 0 : 16
            case (.bytes, .bytes(let vector)):
                if isNull { vector.appendNull(); continue }
                let length = Int(load(key, cursor, UInt32.self))
                vector.append(UnsafeRawBufferPointer(rebasing: key[cursor + 4..<cursor + 4 + length]))
                cursor += 4 + length
            default: throw .wrongLayout(column: "group \(index + 1) of the result")
            }
        }
    }

    private func load<Value: FixedWidthInteger & BitwiseCopyable>(
        _ key: UnsafeRawBufferPointer, _ offset: Int, _ type: Value.Type
    ) -> Value {
        Value(littleEndian: key.loadUnaligned(fromByteOffset: offset, as: type))
    }
}
