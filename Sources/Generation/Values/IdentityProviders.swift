import DataPath

/// UUIDs of version 4's shape (RFC 9562), drawn in a scope: the same seed gives the same.
struct UUIDText: ValueProvider {
    let scope: SeedScope
    let salt: UInt64

    func fill(_ rows: GeneratedRows, into column: ColumnVector) {
        let seeds = rows.seeds(scope)
        column.text.fill(rows, byteBound: 36) { row, out in
            write(seed: seeds[row] ^ salt, to: out)
            return 36
        }
    }

    @inline(__always)
    func write(seed: UInt64, to out: UnsafeMutablePointer<UInt8>) {
        // Both halves are one-to-one in the seed, so that different seeds never share an id.
        let high = mix64(seed) & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = mix64(seed &+ goldenGamma) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        let out = UnsafeMutableRawPointer(out)
        out.storeBytes(of: hexadecimalText(high >> 32), as: UInt64.self)
        let middle = hexadecimalText(high & 0xFFFF_FFFF)
        out.storeBytes(of: UInt32(truncatingIfNeeded: middle), toByteOffset: 9, as: UInt32.self)
        out.storeBytes(of: UInt32(truncatingIfNeeded: middle >> 32), toByteOffset: 14, as: UInt32.self)
        let next = hexadecimalText(low >> 32)
        out.storeBytes(of: UInt32(truncatingIfNeeded: next), toByteOffset: 19, as: UInt32.self)
        out.storeBytes(of: UInt32(truncatingIfNeeded: next >> 32), toByteOffset: 24, as: UInt32.self)
        out.storeBytes(of: hexadecimalText(low & 0xFFFF_FFFF), toByteOffset: 28, as: UInt64.self)
        let dash = UInt8(ascii: "-")
        out.storeBytes(of: dash, toByteOffset: 8, as: UInt8.self)
        out.storeBytes(of: dash, toByteOffset: 13, as: UInt8.self)
        out.storeBytes(of: dash, toByteOffset: 18, as: UInt8.self)
        out.storeBytes(of: dash, toByteOffset: 23, as: UInt8.self)
    }

    /// The eight digits of a 32-bit number, the highest in the byte of the lowest address (little-endian machines).
    ///
    /// All eight at once: the nibbles are spread over the bytes of a word, and 39 is added where one exceeds 9.
    @inline(__always)
    private func hexadecimalText(_ number: UInt64) -> UInt64 {
        var word = (number << 16 | number) & 0x0000_FFFF_0000_FFFF
        word = (word << 8 | word) & 0x00FF_00FF_00FF_00FF
        word = (word << 4 | word) & 0x0F0F_0F0F_0F0F_0F0F
        let letters = (word &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return (word &+ 0x3030_3030_3030_3030 &+ letters &* 39).bigEndian
    }
}

/// The entity's number from 1 on.
struct EntityNumber: ValueProvider {
    let target: NumberTarget

    func fill(_ rows: GeneratedRows, into column: ColumnVector) {
        for row in 0..<rows.count { rows.scratch[row] = Double(rows.entities[row]) + 1 }
        target.write(rows, to: column)
    }
}

/// Random bytes, 8 to 24 of them.
struct RandomBytes: ValueProvider {
    let salt: UInt64

    func fill(_ rows: GeneratedRows, into column: ColumnVector) {
        let vector = column.text
        let seeds = rows.seeds(.event)
        for row in 0..<rows.count {
            if rows.isNull(row) {
                vector.appendNull()
                continue
            }
            var random = RandomStream(mix64(seeds[row] ^ salt))
            let length = 8 + random.below(17)
            let out = vector.appendSlot(byteCount: length)
            for index in 0..<length { out[index] = UInt8(truncatingIfNeeded: random.next()) }
        }
    }
}

/// Moments related to the event's.
struct RelatedTime: ValueProvider {
    enum Kind {
        case eventTime
        /// Up to this long before the event.
        case before(milliseconds: Int64)
    }

    let kind: Kind
    let salt: UInt64
    /// In days since the epoch, else in milliseconds.
    let isDate: Bool

    func fill(_ rows: GeneratedRows, into column: ColumnVector) {
        guard case .int64(let vector) = column else { preconditionFailure("a moment on a column of another type") }
        let out = vector.fillSlots(rows.count)
        switch kind {
        case .eventTime: out.update(from: rows.times, count: rows.count)
        case .before(let bound):
            let seeds = rows.seeds(.event)
            for row in 0..<rows.count {
                let word = mix64(seeds[row] ^ salt)
                out[row] = rows.times[row] - Int64(word.multipliedFullWidth(by: UInt64(bound)).high)
            }
        }
        guard isDate else { return }
        let day: Int64 = 86_400_000
        for row in 0..<rows.count { out[row] = out[row] / day - (out[row] % day < 0 ? 1 : 0) }
    }
}

/// True with a probability.
struct RandomBoolean: ValueProvider {
    let probability: Double
    let scope: SeedScope
    let salt: UInt64

    func fill(_ rows: GeneratedRows, into column: ColumnVector) {
        guard case .boolean(let vector) = column else { preconditionFailure("truth on a column of another type") }
        let out = vector.fillSlots(rows.count)
        let seeds = rows.seeds(scope)
        for row in 0..<rows.count { out[row] = unitInterval(mix64(seeds[row] ^ salt)) < probability }
    }
}
