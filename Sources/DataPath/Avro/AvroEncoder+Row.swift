extension AvroEncoder {
    /// Writes one row's datum; 0, or operation << 8 | reason. The batch's bound has room for all but what asks for more.
    func encodeRow(_ row: Int, _ out: inout UnsafeMutablePointer<UInt8>, _ block: RecordBlock) -> Int {
        var cursor = out
        var index = 0
        var reason = AvroEncodeError.Reason.outOfRange
        scan: do {
            while index < stepCount {
                let step = steps + index
                if let nulls = step.pointee.nulls {
                    if nulls[row] {
                        guard step.pointee.nullBranch != 0xFF else {
                            reason = .nullNotAllowed
                            break scan
                        }
                        cursor[0] = step.pointee.nullBranch
                        cursor += 1
                        index &+= 1
                        continue
                    }
                    if step.pointee.isUnion {
                        cursor[0] = step.pointee.valueBranch
                        cursor += 1
                    }
                }
                switch step.pointee.action {
                case .putLong:
                    AvroVarint.write(step.pointee.values.load(fromByteOffset: row &<< 3, as: Int64.self), &cursor)
                case .putBytes:
                    let text = bytes(step, row)
                    if step.pointee.isDictionary { makeRoom(text.count, &cursor, block) }
                    AvroVarint.write(Int64(text.count), &cursor)
                    copyBytes(text, &cursor)
                case .putInt:
                    let value = step.pointee.values.load(fromByteOffset: row &<< 3, as: Int64.self)
                    guard value == Int64(Int32(truncatingIfNeeded: value)) else { break scan }
                    AvroVarint.write(value, &cursor)
                case .putMicros:
                    let value = step.pointee.values.load(fromByteOffset: row &<< 3, as: Int64.self)
                    let (micros, overflow) = value.multipliedReportingOverflow(by: 1000)
                    if overflow { break scan }
                    AvroVarint.write(micros, &cursor)
                case .putDouble:
                    let value = step.pointee.values.load(fromByteOffset: row &<< 3, as: UInt64.self)
                    UnsafeMutableRawPointer(cursor).storeBytes(of: value.littleEndian, as: UInt64.self)
                    cursor += 8
                case .putFloat:
                    let value = step.pointee.values.load(fromByteOffset: row &<< 3, as: Double.self)
                    let float = Float(value)
                    if float.isInfinite, value.isFinite { break scan }
                    UnsafeMutableRawPointer(cursor).storeBytes(of: float.bitPattern.littleEndian, as: UInt32.self)
                    cursor += 4
                case .putBoolean:
                    cursor[0] = step.pointee.values.load(fromByteOffset: row, as: Bool.self) ? 1 : 0
                    cursor += 1
                case .putDecimal:
                    let value = step.pointee.values.load(fromByteOffset: row &<< 4, as: Int128.self)
                    let limit = step.pointee.limit
                    guard value < limit, value > 0 - limit else { break scan }
                    AvroDecimal.writeShortest(value, &cursor)
                case .putFixedDecimal:
                    let value = step.pointee.values.load(fromByteOffset: row &<< 4, as: Int128.self)
                    let limit = step.pointee.limit
                    let count = step.pointee.argument
                    guard value < limit, value > 0 - limit, AvroDecimal.byteCount(value) <= count else { break scan }
                    makeRoom(count, &cursor, block)
                    AvroDecimal.write(value, count: count, &cursor)
                case .putFixed:
                    let text = bytes(step, row)
                    guard text.count == step.pointee.argument else {
                        reason = .wrongLength
                        break scan
                    }
                    if step.pointee.isDictionary { makeRoom(text.count, &cursor, block) }
                    copyBytes(text, &cursor)
                case .putSymbol:
                    let symbol = symbols[step.pointee.argument].index(of: bytes(step, row))
                    guard symbol >= 0 else {
                        reason = .unknownSymbol
                        break scan
                    }
                    AvroVarint.write(Int64(symbol), &cursor)
                case .putConstant:
                    plan.constants[step.pointee.argument].withUnsafeBytes { constant in
                        makeRoom(constant.count, &cursor, block)
                        copyBytes(constant, &cursor)
                    }
                case .putJSON:
                    if let fault = json.write(step.pointee.argument, bytes(step, row)) {
                        reason = fault
                        break scan
                    }
                    let datum = json.out.bytes
                    makeRoom(datum.count, &cursor, block)
                    copyBytes(datum, &cursor)
                case .enterRecord:
                    guard isNull(recordAt: index, row) else {
                        cursor[0] = step.pointee.valueBranch
                        cursor += 1
                        break
                    }
                    guard step.pointee.nullBranch != 0xFF else {
                        reason = .nullNotAllowed
                        break scan
                    }
                    cursor[0] = step.pointee.nullBranch
                    cursor += 1
                    index &+= step.pointee.argument
                }
                index &+= 1
            }
            out = cursor
            return 0
        }
        // The block may have grown under the caller's cursor.
        out = cursor
        return index << 8 | Int(reason.rawValue)
    }

    /// Whether all columns of a nullable record are null.
    private func isNull(recordAt index: Int, _ row: Int) -> Bool {
        for inner in index + 1...index + steps[index].argument {
            if let nulls = steps[inner].nulls, !nulls[row] { return false }
        }
        return true
    }

    @inline(__always)
    private func bytes(_ step: UnsafeMutablePointer<Step>, _ row: Int) -> UnsafeRawBufferPointer {
        if step.pointee.isDictionary, let dictionary = step.pointee.dictionary {
            let code = step.pointee.values.load(fromByteOffset: row &<< 2, as: UInt32.self)
            return dictionary._withUnsafeGuaranteedRef { $0[code] }
        }
        let start = Int(step.pointee.offsets[row])
        return UnsafeRawBufferPointer(
            start: step.pointee.values + start, count: Int(step.pointee.offsets[row &+ 1]) &- start)
    }
}

/// Copies bytes and moves `cursor` past them. Most strings are short: two overlapping loads beat a call of memcpy.
@inline(__always)
func copyBytes(_ bytes: UnsafeRawBufferPointer, _ cursor: inout UnsafeMutablePointer<UInt8>) {
    guard let source = bytes.baseAddress else { return }
    let count = bytes.count
    let target = UnsafeMutableRawPointer(cursor)
    if count > 64 {
        target.copyMemory(from: source, byteCount: count)
    } else if count >= 16 {
        // The last 16 bytes on their own, the others by sixteens from the front.
        let tail = (source + (count &- 16)).loadUnaligned(as: SIMD2<UInt64>.self)
        var offset = 0
        while offset < count &- 16 {
            target.storeBytes(
                of: (source + offset).loadUnaligned(as: SIMD2<UInt64>.self), toByteOffset: offset,
                as: SIMD2<UInt64>.self)
            offset &+= 16
        }
        target.storeBytes(of: tail, toByteOffset: count &- 16, as: SIMD2<UInt64>.self)
    } else if count >= 8 {
        let head = source.loadUnaligned(as: UInt64.self)
        let tail = (source + (count &- 8)).loadUnaligned(as: UInt64.self)
        target.storeBytes(of: head, as: UInt64.self)
        target.storeBytes(of: tail, toByteOffset: count &- 8, as: UInt64.self)
    } else if count >= 4 {
        let head = source.loadUnaligned(as: UInt32.self)
        let tail = (source + (count &- 4)).loadUnaligned(as: UInt32.self)
        target.storeBytes(of: head, as: UInt32.self)
        target.storeBytes(of: tail, toByteOffset: count &- 4, as: UInt32.self)
    } else {
        for index in 0..<count { cursor[index] = source.load(fromByteOffset: index, as: UInt8.self) }
    }
    cursor += count
}
