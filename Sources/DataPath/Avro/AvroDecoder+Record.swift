extension AvroDecoder {
    /// Writes one record as row `row`; 0, or the fault as `error(_:)` reads it.
    func decodeRecord(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ row: Int) -> Int {
        var cursor = start
        var index = 0
        // Each fault leaves the loop with its reason; `index` then is the operation after the faulty one.
        var reason = AvroDecodeError.Reason.truncated
        scan: do {
            while index < operationCount {
                let operation = operations + index
                index &+= 1
                if operation.pointee.isUnion {
                    guard let branch = AvroVarint.read(&cursor, end) else { break scan }
                    if branch == Int64(operation.pointee.nullBranch) {
                        if operation.pointee.action == .enterRecord {
                            let inner = operation.pointee.argument
                            for offset in 0..<inner where operations[index + offset].column >= 0 {
                                guard setNull(operations[index + offset].column, row) else {
                                    reason = .unexpectedNull
                                    break scan
                                }
                            }
                            index += inner
                        } else if operation.pointee.column >= 0, !setNull(operation.pointee.column, row) {
                            reason = .unexpectedNull
                            break scan
                        }
                        continue
                    }
                    guard branch == Int64(operation.pointee.valueBranch) else {
                        reason = .badUnionBranch
                        break scan
                    }
                }
                switch operation.pointee.action {
                case .enterRecord: break
                case .skipVarint: guard AvroVarint.read(&cursor, end) != nil else { break scan }
                case .skipFixed:
                    guard AvroNodes.advance(&cursor, end, Int64(operation.pointee.argument)) else { break scan }
                case .skipBytes: guard AvroNodes.skipBytes(&cursor, end) else { break scan }
                case .skipNode: guard plan.nodes.skip(operation.pointee.argument, &cursor, end) else { break scan }
                case .readBytes:
                    guard let bytes = AvroNodes.readBytes(&cursor, end) else { break scan }
                    put(bytes, operation.pointee.column, row)
                case .readLong:
                    guard let value = AvroVarint.read(&cursor, end) else { break scan }
                    put(value, operation.pointee.column, row)
                case .readDouble:
                    guard end - cursor >= 8 else { break scan }
                    put(
                        Double(
                            bitPattern: UInt64(littleEndian: UnsafeRawPointer(cursor).loadUnaligned(as: UInt64.self))),
                        operation.pointee.column, row)
                    cursor += 8
                case .readInt, .readIntegerAsDouble, .readMicros:
                    guard let value = AvroVarint.read(&cursor, end) else { break scan }
                    if operation.pointee.action == .readMicros {
                        // Rounded down, so that instants before 1970 keep their order.
                        put(value / 1000 - (value % 1000 < 0 ? 1 : 0), operation.pointee.column, row)
                        continue
                    }
                    if operation.pointee.argument == 32, value != Int64(Int32(truncatingIfNeeded: value)) {
                        reason = .integerTooWide
                        break scan
                    }
                    if operation.pointee.action == .readInt {
                        put(value, operation.pointee.column, row)
                    } else {
                        put(Double(value), operation.pointee.column, row)
                    }
                case .readFloat:
                    guard end - cursor >= 4 else { break scan }
                    let bits = UInt32(littleEndian: UnsafeRawPointer(cursor).loadUnaligned(as: UInt32.self))
                    put(Double(Float(bitPattern: bits)), operation.pointee.column, row)
                    cursor += 4
                case .readBoolean:
                    guard cursor < end else { break scan }
                    guard cursor[0] < 2 else {
                        reason = .badBoolean
                        break scan
                    }
                    put(cursor[0] == 1, operation.pointee.column, row)
                    cursor += 1
                case .readFixed:
                    guard end - cursor >= operation.pointee.argument else { break scan }
                    put(
                        UnsafeRawBufferPointer(start: cursor, count: operation.pointee.argument),
                        operation.pointee.column, row)
                    cursor += operation.pointee.argument
                case .readSymbol:
                    guard let symbol = AvroVarint.read(&cursor, end) else { break scan }
                    let node = plan.nodes.nodes[operation.pointee.argument]
                    guard symbol >= 0, symbol < Int64(node.count) else {
                        reason = .badSymbol
                        break scan
                    }
                    plan.nodes.names[node.firstName + Int(symbol)].withUnsafeBytes {
                        put($0, operation.pointee.column, row)
                    }
                case .readDecimal, .readFixedDecimal:
                    let bytes: UnsafeRawBufferPointer
                    if operation.pointee.action == .readDecimal {
                        guard let read = AvroNodes.readBytes(&cursor, end) else { break scan }
                        bytes = read
                    } else {
                        let count = operation.pointee.argument
                        guard end - cursor >= count else { break scan }
                        bytes = UnsafeRawBufferPointer(start: cursor, count: count)
                        cursor += count
                    }
                    guard let value = AvroDecimal.read(bytes), fits(value, operation.pointee.column) else {
                        reason = .decimalTooLarge
                        break scan
                    }
                    put(value, operation.pointee.column, row)
                case .readJSON:
                    text.removeAll()
                    guard plan.nodes.writeJSON(operation.pointee.argument, &cursor, end, to: text) else { break scan }
                    put(text.bytes, operation.pointee.column, row)
                }
            }
            if cursor == end { return 0 }
            return Int(AvroDecodeError.Reason.trailingBytes.rawValue)
        }
        return index << 8 | Int(reason.rawValue)
    }

    private func fits(_ value: Int128, _ column: Int) -> Bool {
        guard let limit = decimalLimits[column] else { return true }
        return value < limit && value > -limit
    }

    @inline(__always)
    private func put<T: BitwiseCopyable>(_ value: T, _ column: Int, _ row: Int) {
        let target = targets + column
        target.pointee.nulls.unsafelyUnwrapped[row] = false
        target.pointee.values.unsafelyUnwrapped.storeBytes(
            of: value, toByteOffset: row &* MemoryLayout<T>.stride, as: T.self)
    }

    /// Stores a byte string in the layout that its column has.
    @inline(__always)
    private func put(_ bytes: UnsafeRawBufferPointer, _ column: Int, _ row: Int) {
        let target = targets + column
        if let dictionary = target.pointee.dictionary {
            put(dictionary._withUnsafeGuaranteedRef { $0.code(for: bytes) }, column, row)
        } else if let plain = target.pointee.plain {
            plain._withUnsafeGuaranteedRef { $0.append(bytes) }
        } else {
            put(sipHash128(bytes, key: key), column, row)
        }
    }

    /// False if the column allows no nulls.
    private func setNull(_ column: Int, _ row: Int) -> Bool {
        let target = targets[column]
        guard target.isNullable else { return false }
        if let plain = target.plain {
            plain._withUnsafeGuaranteedRef { $0.appendNull() }
        } else {
            target.nulls?[row] = true
        }
        return true
    }
}
