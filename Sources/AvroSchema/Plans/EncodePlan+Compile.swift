public import DataPath
internal import Diagnostics

extension EncodePlan {
    /// The plan that writes columns as records of `schema`.
    ///
    /// A field is taken from the column of its dotted path. A field without a column gets its default, or null; if it
    /// has neither it is an error. Columns that the schema lacks are left out. A nullable record is null when all its
    /// columns are. A `json` column holds an array, map, record or any other value as a whole, in the form in which
    /// ``AvroDecoder`` gives it: nullable values as null or bare, decimals as numbers with all digits or as strings,
    /// dates as days or `YYYY-MM-DD`, timestamps as their number or as ISO 8601 text (UTC without a zone), `bytes` and
    /// fixed as strings in which each byte is the code point of its value. A record's members may stand in any order;
    /// one that is lacking gets the default, or null; unknown ones are left out.
    public static func compile(schema: AvroRecord, columns: BatchSchema) throws(AvroSchemaError) -> EncodePlan {
        var compiler = EncodeCompiler(columns: columns.columns)
        for field in schema.fields { try compiler.field(field, field.name) }
        return EncodePlan(
            columns: columns, operations: compiler.operations, paths: compiler.paths,
            constants: compiler.constants, symbols: compiler.symbols, nodes: compiler.nodes)
    }
}

private struct EncodeCompiler {
    let columns: [ColumnSpec]
    var operations: [EncodePlan.Operation] = []
    var paths: [String] = []
    var constants: [[UInt8]] = []
    var symbols: [[[UInt8]]] = []
    var nodes = AvroNodes()

    init(columns: [ColumnSpec]) { self.columns = columns }

    private func error(_ message: String, _ path: String) -> AvroSchemaError {
        AvroSchemaError(.schemaCannotWrite, message, field: path)
    }

    mutating func field(_ field: AvroField, _ path: String) throws(AvroSchemaError) {
        let column = columns.firstIndex { $0.name == path }
        let hasLeaves = columns.contains { $0.name.hasPrefix(path + ".") }
        guard column != nil || hasLeaves else {
            let fallback = field.defaultValue ?? (field.type.allowsNull ? .null : nil)
            guard let fallback else { throw error("it has no column, no default and allows no null", path) }
            guard let bytes = AvroDatum.encode(fallback, as: field.type) else {
                throw error("its default does not fit its type", path)
            }
            emit(EncodePlan.Operation(.putConstant, argument: constants.count), path)
            constants.append(bytes)
            return
        }
        if let column, columns[column].type == .json {
            emit(try json(field.type, column, path), path)
            return
        }
        var type = field.type
        var nullBranch = -1
        var valueBranch = 0
        var isUnion = false
        if case .union(let branches) = type {
            let others = branches.indices.filter { branches[$0] != .null }
            guard others.count == 1, branches.count <= 2 else {
                throw error("writing a union of several types is not supported yet", path)
            }
            (isUnion, nullBranch, valueBranch) = (true, branches.firstIndex(of: .null) ?? -1, others[0])
            type = branches[valueBranch]
        }
        if let column {
            var operation = try leaf(type, column, path)
            (operation.isUnion, operation.nullBranch, operation.valueBranch) =
                (isUnion, Int8(nullBranch), Int8(valueBranch))
            emit(operation, path)
            return
        }
        guard case .record(let record) = type else { throw error("it is not a record", path) }
        let start = operations.count
        if isUnion {
            var operation = EncodePlan.Operation(.enterRecord)
            (operation.isUnion, operation.nullBranch, operation.valueBranch) = (
                true, Int8(nullBranch), Int8(valueBranch)
            )
            emit(operation, path)
        }
        for inner in record.fields { try self.field(inner, path + "." + inner.name) }
        if isUnion { operations[start].argument = operations.count - start - 1 }
    }

    private mutating func emit(_ operation: EncodePlan.Operation, _ path: String) {
        operations.append(operation)
        paths.append(path)
    }

    private func refuseHash(_ column: Int, _ path: String) throws(AvroSchemaError) {
        if columns[column].type.physical == .bytes, columns[column].encoding == .hash {
            throw error("only a hash of its values was kept, which cannot be written", path)
        }
    }

    private mutating func json(
        _ type: AvroSchema, _ column: Int, _ path: String
    ) throws(AvroSchemaError) -> EncodePlan.Operation {
        try refuseHash(column, path)
        if hasWideUnion(type) { throw error("writing a union of several types is not supported yet", path) }
        var operation = EncodePlan.Operation(.putJSON, column: column, argument: nodes.add(type))
        if case .union(let branches) = type, let null = branches.firstIndex(of: .null) {
            operation.nullBranch = Int8(null)
        }
        return operation
    }

    /// A union of several types besides null: JSON text does not say which of them is meant.
    private func hasWideUnion(_ type: AvroSchema) -> Bool {
        switch type {
        case .union(let branches):
            branches.count > 2 || branches.count == 2 && !branches.contains(.null)
                || branches.contains(where: hasWideUnion)
        case .array(let element), .map(let element): hasWideUnion(element)
        case .record(let record): record.fields.contains { hasWideUnion($0.type) }
        default: false
        }
    }

    private mutating func leaf(
        _ type: AvroSchema, _ column: Int, _ path: String
    ) throws(AvroSchemaError) -> EncodePlan.Operation {
        let spec = columns[column]
        try refuseHash(column, path)
        func make(_ action: EncodePlan.Action, _ argument: Int = 0) -> EncodePlan.Operation {
            EncodePlan.Operation(action, column: column, argument: argument)
        }
        if case .logical(let base, .decimal(let precision, let scale)) = type, case .decimal(_, scale) = spec.type {
            var operation = make(.putDecimal)
            if case .fixed(_, _, let size) = base { operation = make(.putFixedDecimal, size) }
            operation.precision = precision
            return operation
        }
        switch (type.base, spec.type) {
        case (.boolean, .boolean): return make(.putBoolean)
        case (.int, .int), (.int, .date): return make(.putInt)
        case (.long, .timestamp) where type == .logical(base: .long, .timestampMicros): return make(.putMicros)
        case (.long, .int), (.long, .long), (.long, .timestamp): return make(.putLong)
        case (.float, .float): return make(.putFloat)
        case (.double, .float), (.double, .double): return make(.putDouble)
        case (.string, .string), (.string, .uuid), (.bytes, .bytes): return make(.putBytes)
        case (.fixed(_, _, let size), .bytes): return make(.putFixed, size)
        case (.enumeration(_, _, let names), .string):
            symbols.append(names.map { Array($0.utf8) })
            return make(.putSymbol, symbols.count - 1)
        default: throw error("a column of type \(spec.type) cannot be written as \(type.base.unionKind)", path)
        }
    }
}
