import DataPath

/// UUIDs of version 4's shape (RFC 9562), drawn in a scope: the same seed gives the same.
struct UUIDText: ValueProvider {
    let scope: SeedScope
    let salt: UInt64

    func fill(_ rows: GeneratedRows, into column: ColumnVector) {
        let vector = column.text
        let seeds = rows.seeds(scope)
        for row in 0..<rows.count {
            if rows.isNull(row) {
                vector.appendNull()
            } else {
                write(seed: seeds[row] ^ salt, to: vector.appendSlot(byteCount: 36))
            }
        }
    }

    @inline(__always)
    func write(seed: UInt64, to out: UnsafeMutablePointer<UInt8>) {
        // Both halves are one-to-one in the seed, so that different seeds never share an id.
        let high = mix64(seed) & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = mix64(seed &+ goldenGamma) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        var position = 0
        for digit in 0..<32 {
            if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                out[position] = UInt8(ascii: "-")
                position += 1
            }
            let word = digit < 16 ? high : low
            out[position] = hexadecimalDigit(word >> UInt64(60 - 4 * (digit & 15)) & 15)
            position += 1
        }
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
