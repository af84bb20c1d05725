extension BoundProgram {
    /// Runs one operation over a batch. The choice of the loop is made once; the loops hold no choice but their own.
    func apply(_ operation: VectorOperation, _ inputs: [Int], at index: Int, rows: Int) {
        let out = registers[index]
        let a = registers[inputs[0]]
        switch operation {
        case .compare(let comparison, let type):
            Kernels.compare(comparison, type, a, registers[inputs[1]], out, rows)
        case .compareConstant(let comparison, .int64(let value)):
            Kernels.compare(comparison, a, value, out, rows)
        case .compareConstant(let comparison, .double(let value)):
            Kernels.compareDouble(comparison, a, value, out, rows)
        case .compareConstant(let comparison, .bytes(let value)):
            value.withUnsafeBufferPointer { bytes in
                withUnsafePointer(to: 0 as UInt8) { none in
                    let view = ByteView(start: bytes.baseAddress ?? none, count: bytes.count)
                    judge(a, out, index, rows) { Kernels.holds(comparison, $0.compare(view)) }
                }
            }
        case .compareConstant:
            preconditionFailure("the expression compiler compares other constants as columns")
        case .inIntegers(let values):
            values.withUnsafeBufferPointer { list in
                Kernels.map(a, out, rows, Int64.self) { Kernels.contains(list, $0) ? 1 : 0 as UInt8 }
            }
        case .inBytes(let values): judge(a, out, index, rows) { Kernels.contains(values, $0) }
        case .like(let pattern):
            guard pattern.ignoresCase else {
                return judge(a, out, index, rows) { pattern.matches($0) }
            }
            let lowered = CaseMapper()
            judge(a, out, index, rows) { pattern.matches(lowered.mapCase($0, .lower)) }
        case .and: Kernels.and(a, registers[inputs[1]], out, rows)
        case .or: Kernels.or(a, registers[inputs[1]], out, rows)
        case .not: Kernels.map(a, out, rows, UInt8.self) { $0 ^ 1 }
        case .isNull(let negated): Kernels.isNull(a, out, rows, negated: negated)
        case .choose(let type): Kernels.choose(type, a, registers[inputs[1]], registers[inputs[2]], out, rows)
        case .coalesce(let type): Kernels.coalesce(type, a, registers[inputs[1]], out, rows)
        case .lower: mapCase(a, out, rows, .lower)
        case .upper: mapCase(a, out, rows, .upper)
        case .length:
            let views = a.views(rows: rows)
            let values = out.prepare(rows, Int64.self)
            for row in 0..<rows { values[row] = views[row].characterCount }
            out.joinStates([a], rows: rows)
        case .arithmetic(let arithmetic, let type):
            Kernels.arithmetic(arithmetic, type, a, registers[inputs[1]], out, rows)
        default: Kernels.number(operation, a, out, rows)
        }
    }

    /// A predicate over byte strings: once per dictionary entry, or once per row.
    @inline(__always)
    private func judge(
        _ a: VectorRegister, _ out: VectorRegister, _ index: Int, _ rows: Int, _ predicate: (ByteView) -> Bool
    ) {
        let values = out.prepare(rows, UInt8.self)
        out.joinStates([a], rows: rows)
        if let codes = a.codes, let dictionary = a.dictionary, let answers = answers[index] {
            answers.update(dictionary, predicate).withUnsafeBufferPointer { known in
                if a.hasState {
                    for row in 0..<rows { values[row] = a.state[row] == 0 ? known[Int(codes[row])] : 0 }
                } else {
                    for row in 0..<rows { values[row] = known[Int(codes[row])] }
                }
            }
        } else {
            let views = a.views(rows: rows)
            for row in 0..<rows { values[row] = predicate(views[row]) ? 1 : 0 }
        }
    }

    private func mapCase(_ a: VectorRegister, _ out: VectorRegister, _ rows: Int, _ mapping: CaseMapping) {
        let views = a.views(rows: rows)
        let results = out.prepare(rows, ByteView.self)
        out.joinStates([a], rows: rows)
        // A scalar's counterpart is at most twice as long in UTF-8 (two bytes can become three).
        var capacity = 1
        for row in 0..<rows { capacity &+= views[row].count &* 2 }
        var cursor = out.reserveArena(capacity)
        for row in 0..<rows {
            let written = CaseMapper.mapCase(views[row], mapping, into: cursor)
            results[row] = ByteView(start: UnsafePointer(cursor), count: written)
            cursor += written
        }
    }
}

/// Memory for one mapped string at a time.
final class CaseMapper {
    private var bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
    private var capacity = 256

    deinit { bytes.deallocate() }

    /// `text` in another case, valid until the next call.
    func mapCase(_ text: ByteView, _ mapping: CaseMapping) -> ByteView {
        if text.count * 2 > capacity {
            bytes.deallocate()
            capacity = text.count * 2
            bytes = .allocate(capacity: capacity)
        }
        return ByteView(start: UnsafePointer(bytes), count: Self.mapCase(text, mapping, into: bytes))
    }

    /// Writes `text` in another case and returns how many bytes that took: at most twice as many.
    static func mapCase(_ text: ByteView, _ mapping: CaseMapping, into target: UnsafeMutablePointer<UInt8>) -> Int {
        if text.isASCII {
            for index in 0..<text.count { target[index] = mapping.map(text.start[index]) }
            return text.count
        }
        var written = 0
        var decoder = UTF8()
        var source = UnsafeBufferPointer(start: text.start, count: text.count).makeIterator()
        while true {
            switch decoder.decode(&source) {
            case .scalarValue(let scalar):
                for byte in UTF8.encode(mapping.map(scalar)) ?? UTF8.encodedReplacementCharacter {
                    target[written] = byte
                    written += 1
                }
            case .emptyInput: return written
            case .error:
                // One invalid byte could become three of U+FFFD; `?` keeps the bound.
                target[written] = UInt8(ascii: "?")
                written += 1
            }
        }
    }
}
