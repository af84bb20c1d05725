import DataPath

/// A bound and typed part of an expression.
struct TypedNode {
    indirect enum Content {
        case column(String, PhysicalType)
        case constant(VectorConstant)
        case apply(VectorOperation, [TypedNode])
    }

    var content: Content
    /// Nil for the literal null, which fits every type.
    var type: LogicalType?
    var isNullable: Bool
    var place: ExpressionPlace
    /// Set for a string literal, which also reads as a date, timestamp or uuid where one is expected.
    var literalText: String?

    var constant: VectorConstant? { if case .constant(let value) = content { value } else { nil } }

    var isNull: Bool { if case .constant(.null) = content { true } else { false } }

    static func null(_ type: LogicalType?, at place: ExpressionPlace) -> TypedNode {
        TypedNode(content: .constant(.null(type?.physical ?? .boolean)), type: type, isNullable: true, place: place)
    }

    func register(in builder: inout VectorProgramBuilder) -> Int {
        switch content {
        case .column(let name, let type): return builder.column(name, type)
        case .constant(let value): return builder.constant(value)
        case .apply(let operation, let inputs):
            var registers: [Int] = []
            for input in inputs { registers.append(input.register(in: &builder)) }
            return builder.apply(operation, registers)
        }
    }

    func program(_ type: LogicalType) -> VectorProgram {
        var builder = VectorProgramBuilder()
        let result = register(in: &builder)
        return builder.finish(result: result, type: type)
    }

    /// Runs the kernels over one row: nil when there is no value in the type (overflow).
    func evaluatedConstant(_ type: LogicalType) -> VectorConstant? {
        let schema = BatchSchema([])
        guard let bound = try? BoundProgram(program(type), schema: schema) else { return nil }
        let column = bound.evaluate(RecordBatch(schema: schema, columns: [], rowCount: 1))
        guard bound.errorRows.isEmpty else { return nil }
        switch column {
        case .boolean(let vector): return vector.nulls[0] ? .null(.boolean) : .boolean(vector.values[0])
        case .int64(let vector): return vector.nulls[0] ? .null(.int64) : .int64(vector.values[0])
        case .int128(let vector): return vector.nulls[0] ? .null(.int128) : .int128(vector.values[0])
        case .double(let vector): return vector.nulls[0] ? .null(.double) : .double(vector.values[0])
        case .bytes(let vector): return vector.nulls[0] ? .null(.bytes) : .bytes(Array(vector[0]))
        case .dictionary, .hash: return nil
        }
    }
}
