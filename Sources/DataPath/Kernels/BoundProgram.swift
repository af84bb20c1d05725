/// Why a program cannot run over batches of a schema.
public enum ProgramBindingError: Error, Hashable, Sendable, CustomStringConvertible {
    case missingColumn(String)
    case wrongType(column: String, expected: PhysicalType, found: PhysicalType)
    /// Only the hash of the column's values is kept, so they cannot be read.
    case hashedColumn(String)

    public var description: String {
        switch self {
        case .missingColumn(let name): "the batch has no column '\(name)'"
        case .wrongType(let name, let expected, let found):
            "column '\(name)' is held as \(found), the expression reads \(expected)"
        case .hashedColumn(let name): "column '\(name)' is held as a hash; an expression needs its values"
        }
    }
}

/// A ``VectorProgram`` bound to the columns of a schema, with the memory that it computes in.
///
/// Cost: one pass over the batch for each step; no allocation once the largest batch was seen, except for results.
/// Threads: one at a time.
public final class BoundProgram {
    public let program: VectorProgram
    /// Rows of the last batch whose value does not exist (arithmetic overflow), ascending; their value is null.
    public internal(set) var errorRows: [Int32] = []

    let registers: [VectorRegister]
    /// For each step the index of the column that it reads, or -1.
    private let columnIndexes: [Int]
    /// For each step that judges byte strings, its answers by dictionary code.
    let answers: [DictionaryAnswers?]

    /// Binds to columns by name; a column of bytes may come plain or as a dictionary.
    public init(_ program: VectorProgram, schema: BatchSchema) throws(ProgramBindingError) {
        var indexes: [Int] = []
        for step in program.steps {
            guard case .column(let name, let physical) = step else {
                indexes.append(-1)
                continue
            }
            guard let index = schema.index(of: name) else { throw .missingColumn(name) }
            let spec = schema.columns[index]
            guard spec.type.physical == physical else {
                throw .wrongType(column: name, expected: physical, found: spec.type.physical)
            }
            if physical == .bytes, spec.encoding == .hash { throw .hashedColumn(name) }
            indexes.append(index)
        }
        self.program = program
        columnIndexes = indexes
        registers = program.steps.map { _ in VectorRegister() }
        answers = program.steps.map { step in
            switch step {
            case .apply(.compareConstant(_, .bytes), _), .apply(.inBytes, _), .apply(.like, _): DictionaryAnswers()
            default: nil
            }
        }
    }

    /// The rows of `batch` for which a boolean program is true, in `selection`; null and error rows are not selected.
    ///
    /// - Parameter refining: true = only rows that `selection` holds already; false = all rows of the batch.
    public func select(_ batch: RecordBatch, into selection: Selection, refining: Bool = false) {
        precondition(program.resultType == .boolean)
        let rows = batch.rowCount
        let result = run(batch)
        let values = result.pointer(UInt8.self)
        let candidates = refining ? selection.count : rows
        errorRows.removeAll(keepingCapacity: true)
        if !refining { selection.reserve(rows) }
        let output = selection.rows
        var count = 0
        switch (refining, result.hasState) {
        case (false, false):
            for row in 0..<rows {
                output[count] = Int32(truncatingIfNeeded: row)
                count &+= Int(values[row])
            }
        case (false, true):
            let state = result.state
            collectErrors(result, rows: rows)
            for row in 0..<rows {
                output[count] = Int32(truncatingIfNeeded: row)
                count &+= Int(state[row] == 0 ? values[row] : 0)
            }
        case (true, _):
            let state = result.hasState ? result.state : nil
            for position in 0..<candidates {
                let row = output[position]
                let rowState = state?[Int(row)] ?? 0
                if rowState & VectorRegister.error != 0 { errorRows.append(row) }
                output[count] = row
                count &+= Int(rowState == 0 ? values[Int(row)] : 0)
            }
        }
        selection.count = count
    }

    /// The program's value for every row of `batch`, as a new vector (bytes plain).
    public func evaluate(_ batch: RecordBatch) -> ColumnVector {
        let rows = batch.rowCount
        let result = run(batch)
        errorRows.removeAll(keepingCapacity: true)
        if result.hasState { collectErrors(result, rows: rows) }
        switch program.resultType.physical {
        case .boolean:
            let vector = FixedVector<Bool>(capacity: rows)
            UnsafeMutableRawPointer(vector.values).copyMemory(from: result.pointer(UInt8.self), byteCount: rows)
            finish(vector, result, rows)
            return .boolean(vector)
        case .int64: return .int64(copy(result, rows))
        case .int128: return .int128(copy(result, rows))
        case .double: return .double(copy(result, rows))
        case .bytes:
            let views = result.views(rows: rows)
            let vector = BytesVector(capacity: rows)
            for row in 0..<rows {
                if result.hasState, result.state[row] != 0 {
                    vector.appendNull()
                } else {
                    vector.append(UnsafeRawBufferPointer(start: views[row].start, count: views[row].count))
                }
            }
            return .bytes(vector)
        }
    }

    private func run(_ batch: RecordBatch) -> VectorRegister {
        let rows = batch.rowCount
        for (index, step) in program.steps.enumerated() {
            let register = registers[index]
            switch step {
            case .column: load(batch.columns[columnIndexes[index]], register, rows)
            case .constant(let value): register.broadcast(value, rows: rows)
            case .apply(let operation, let inputs): apply(operation, inputs, at: index, rows: rows)
            }
        }
        return registers[program.result]
    }

    private func load(_ column: ColumnVector, _ register: VectorRegister, _ rows: Int) {
        switch column {
        case .boolean(let vector): register.load(vector, rows: rows)
        case .int64(let vector): register.load(vector, rows: rows)
        case .int128(let vector): register.load(vector, rows: rows)
        case .double(let vector): register.load(vector, rows: rows)
        case .bytes(let vector): register.load(vector, rows: rows)
        case .dictionary(let vector, let dictionary): register.load(vector, dictionary, rows: rows)
        case .hash: preconditionFailure("the initialiser refuses hashed columns")
        }
    }

    private func copy<Element: BitwiseCopyable>(_ result: VectorRegister, _ rows: Int) -> FixedVector<Element> {
        let vector = FixedVector<Element>(capacity: rows)
        vector.values.update(from: result.pointer(Element.self), count: rows)
        finish(vector, result, rows)
        return vector
    }

    private func finish<Element: BitwiseCopyable>(
        _ vector: FixedVector<Element>, _ result: VectorRegister, _ rows: Int
    ) {
        vector.count = rows
        guard result.hasState else { return }
        var nullCount = 0
        for row in 0..<rows {
            let isNull = result.state[row] != 0
            vector.nulls[row] = isNull
            nullCount &+= isNull ? 1 : 0
        }
        vector.nullCount = nullCount
    }

    private func collectErrors(_ result: VectorRegister, rows: Int) {
        var all: UInt8 = 0
        for row in 0..<rows { all |= result.state[row] }
        guard all & VectorRegister.error != 0 else { return }
        for row in 0..<rows where result.state[row] & VectorRegister.error != 0 {
            errorRows.append(Int32(truncatingIfNeeded: row))
        }
    }
}
