import DataPath

/// Text of parts: `user_` and six digits, words joined by dots, hexadecimal digits.
struct TemplateText: ValueProvider {
    enum Part: Sendable {
        case literal([UInt8])
        case digit, letter, letterOrDigit
        case hexadecimal(Int)
        case pick(TextTable)
        case number(ClosedRange<Int>)
        /// The entity's or product's number from 1 on, with leading zeros to this width.
        case entity(Int)
        case product(Int)
    }

    let parts: [Part]
    let scope: SeedScope
    let salt: UInt64

    /// `#` a digit, `?` a lower-case letter, `*` either; everything else stands for itself.
    static func parts(pattern: String) -> [Part] {
        var parts: [Part] = []
        for byte in pattern.utf8 {
            switch byte {
            case UInt8(ascii: "#"): parts.append(.digit)
            case UInt8(ascii: "?"): parts.append(.letter)
            case UInt8(ascii: "*"): parts.append(.letterOrDigit)
            default:
                if case .literal(let bytes) = parts.last {
                    parts[parts.count - 1] = .literal(bytes + [byte])
                } else {
                    parts.append(.literal([byte]))
                }
            }
        }
        return parts
    }

    func fill(_ rows: GeneratedRows, into column: ColumnVector) {
        let seeds = rows.seeds(scope)
        parts.withUnsafeBufferPointer { parts in
            column.text.fill(rows, byteBound: maximumLength) { row, out in
                var random = RandomStream(mix64(seeds[row] ^ salt))
                var end = 0
                for part in parts {
                    end = Self.write(
                        part, at: end, of: out, entity: rows.entities[row], product: rows.products[row], &random)
                }
                return end
            }
        }
    }

    private var maximumLength: Int {
        parts.reduce(0) { sum, part in
            switch part {
            case .literal(let bytes): sum + bytes.count
            case .digit, .letter, .letterOrDigit: sum + 1
            case .hexadecimal(let digits): sum + digits
            case .pick(let table): sum + table.longest
            case .number: sum + 20
            case .entity(let width), .product(let width): sum + max(width, 20)
            }
        }
    }

    @inline(__always)
    private static func write(
        _ part: Part, at start: Int, of base: UnsafeMutablePointer<UInt8>, entity: UInt32, product: UInt32,
        _ random: inout RandomStream
    ) -> Int {
        switch part {
        case .literal(let bytes):
            for index in 0..<bytes.count { base[start + index] = bytes[index] }
            return start + bytes.count
        case .digit:
            base[start] = UInt8(ascii: "0") + UInt8(random.below(10))
            return start + 1
        case .letter:
            base[start] = UInt8(ascii: "a") + UInt8(random.below(26))
            return start + 1
        case .letterOrDigit:
            let pick = UInt8(random.below(36))
            base[start] = pick < 10 ? UInt8(ascii: "0") + pick : UInt8(ascii: "a") + pick - 10
            return start + 1
        case .hexadecimal(let digits):
            var word: UInt64 = 0
            for index in 0..<digits {
                if index & 15 == 0 { word = random.next() }
                base[start + index] = hexadecimalDigit(word & 15)
                word >>= 4
            }
            return start + digits
        case .pick(let table):
            return start + table.copy(random.below(table.count), to: base + start)
        case .number(let range):
            return putDecimal(range.lowerBound + random.below(range.count), width: 1, at: start, of: base)
        case .entity(let width): return putDecimal(Int(entity) + 1, width: width, at: start, of: base)
        case .product(let width): return putDecimal(Int(product) + 1, width: width, at: start, of: base)
        }
    }
}

@inline(__always)
func hexadecimalDigit(_ nibble: UInt64) -> UInt8 {
    let value = UInt8(truncatingIfNeeded: nibble)
    return value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
}

/// Writes a number from 0 on in decimal digits, with leading zeros to `width`; returns the end.
@inline(__always)
func putDecimal(_ number: Int, width: Int, at start: Int, of base: UnsafeMutablePointer<UInt8>) -> Int {
    var digits = 1
    var rest = number
    while rest >= 10 {
        rest /= 10
        digits += 1
    }
    digits = max(digits, width)
    rest = number
    var index = start + digits - 1
    while index >= start {
        base[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
        index -= 1
    }
    return start + digits
}
