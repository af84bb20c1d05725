public import DataPath
internal import Diagnostics

extension DecodePlan {
    /// The plan that reads records of `writer` as `columns`.
    ///
    /// A column is named by the dotted path of its field; the fields of a nested record are columns of their own, all
    /// null when the record is. Reading follows Avro's resolution: int → long, float, double; long → float, double;
    /// float → double; string ↔ bytes; besides, an enum is read as a string and timestamp-micros as milliseconds
    /// (rounded down). Any type can be read as `json`. A column that the writer lacks gets the default of the field in
    /// `reader`, else null, else it is an error; other unions than null and one type can only be skipped or read as json.
    /// A null in a field whose column is not nullable is an error of its record, not of the plan.
    /// A schema of more than ``AvroSchema/typeLimit`` types is refused.
    public static func compile(
        writer: AvroSchema, columns: [ColumnSpec], reader: AvroSchema? = nil
    ) throws(AvroSchemaError) -> DecodePlan {
        guard let record = writer.record else {
            throw AvroSchemaError(.schemaCannotRead, "the messages' schema is not a record")
        }
        try writer.checkTypeCount()
        var compiler = DecodeCompiler(columns: columns)
        try compiler.record(record, prefix: "")
        try compiler.constants(reader?.record)
        return DecodePlan(
            columns: columns, operations: compiler.operations, paths: compiler.paths,
            constants: compiler.constants, nodes: compiler.nodes)
    }
}

private struct DecodeCompiler {
    let columns: [ColumnSpec]
    var operations: [DecodePlan.Operation] = []
    var paths: [String] = []
    var constants: [(column: Int, value: DecodePlan.Constant)] = []
    var nodes = AvroNodes()
    private var found: Set<Int> = []

    init(columns: [ColumnSpec]) { self.columns = columns }

    private mutating func emit(_ operation: DecodePlan.Operation, _ path: String) {
        operations.append(operation)
        paths.append(path)
    }

    mutating func record(_ record: AvroRecord, prefix: String) throws(AvroSchemaError) {
        for field in record.fields { try self.field(field.type, prefix + field.name) }
    }

    private func isNeeded(below path: String) -> Bool { columns.contains { $0.name.hasPrefix(path + ".") } }

    private mutating func field(_ type: AvroSchema, _ path: String) throws(AvroSchemaError) {
        let column = columns.firstIndex { $0.name == path }
        if let column { found.insert(column) }
        if let column, columns[column].type == .json {
            let node = nodes.add(type)
            var operation = DecodePlan.Operation(.readJSON, column: column, argument: node)
            // A null is a null row, not the text "null".
            if case .union(let branches) = type, branches.count == 2, let null = branches.firstIndex(of: .null) {
                operation.argument = nodes.add(branches[1 - null])
                union(&operation, null: null, value: 1 - null)
            }
            emit(operation, path)
            return
        }
        var value = type
        var nullBranch: Int?
        var valueBranch = 0
        var isUnion = false
        if case .union(let branches) = type {
            let others = branches.indices.filter { branches[$0] != .null }
            guard others.count <= 1 else {
                if column != nil || isNeeded(below: path) {
                    throw AvroSchemaError(
                        .schemaCannotRead, "a union of several types can only be read as json", field: path)
                }
                emit(DecodePlan.Operation(.skipNode, argument: nodes.add(type)), path)
                return
            }
            isUnion = true
            nullBranch = branches.firstIndex(of: .null)
            valueBranch = others.first ?? -2
            value = others.first.map { branches[$0] } ?? .null
        }
        if case .record(let inner) = value, isNeeded(below: path) {
            let start = operations.count
            if isUnion {
                var operation = DecodePlan.Operation(.enterRecord)
                union(&operation, null: nullBranch ?? -1, value: valueBranch)
                emit(operation, path)
            }
            try record(inner, prefix: path + ".")
            if isUnion { operations[start].argument = operations.count - start - 1 }
            if column == nil { return }
            throw AvroSchemaError(.schemaCannotRead, "a record can only be read as json or by its fields", field: path)
        }
        if value == .null, !isUnion, let column {
            // It has no bytes; the column is filled as one that the writer lacks.
            found.remove(column)
            return
        }
        var operation =
            try column.map { column throws(AvroSchemaError) in try read(value, column, path) } ?? skip(value)
        if isUnion { union(&operation, null: nullBranch ?? -1, value: valueBranch) }
        if !isUnion, operation.action == .skipFixed {
            if operation.argument == 0 { return }
            if let last = operations.last, last.action == .skipFixed, !last.isUnion, !path.contains(".") {
                operations[operations.count - 1].argument += operation.argument
                return
            }
        }
        emit(operation, path)
    }

    private func union(_ operation: inout DecodePlan.Operation, null: Int, value: Int) {
        operation.isUnion = true
        operation.nullBranch = Int8(null)
        operation.valueBranch = Int8(value)
    }

    private mutating func skip(_ type: AvroSchema) -> DecodePlan.Operation {
        switch type.base {
        case .null: .init(.skipFixed)
        case .boolean: .init(.skipFixed, argument: 1)
        case .int, .long, .enumeration: .init(.skipVarint)
        case .float: .init(.skipFixed, argument: 4)
        case .double: .init(.skipFixed, argument: 8)
        case .fixed(_, _, let size): .init(.skipFixed, argument: size)
        case .bytes, .string: .init(.skipBytes)
        default: .init(.skipNode, argument: nodes.add(type))
        }
    }

    private mutating func read(
        _ type: AvroSchema, _ column: Int, _ path: String
    ) throws(AvroSchemaError) -> DecodePlan.Operation {
        let wanted = columns[column].type
        func make(_ action: DecodePlan.Action, _ argument: Int = 0) -> DecodePlan.Operation {
            DecodePlan.Operation(action, column: column, argument: argument)
        }
        if case .logical(let base, .decimal(let precision, let scale)) = type, case .decimal(let most, let at) = wanted
        {
            guard scale == at, precision <= most else {
                throw AvroSchemaError(
                    .schemaCannotRead, "decimal(\(precision),\(scale)) cannot be read as decimal(\(most),\(at))",
                    field: path)
            }
            if case .fixed(_, _, let size) = base { return make(.readFixedDecimal, size) }
            return make(.readDecimal)
        }
        switch (type.base, wanted) {
        case (.null, _): return make(.skipFixed)  // only the null branch of a union can occur
        case (.boolean, .boolean): return make(.readBoolean)
        case (.int, .int), (.int, .long), (.int, .date): return make(.readInt, 32)
        case (.long, .timestamp): return make(isMicros(type) ? .readMicros : .readLong)
        case (.long, .long): return make(.readLong)
        case (.int, .float), (.int, .double): return make(.readIntegerAsDouble, 32)
        case (.long, .float), (.long, .double): return make(.readIntegerAsDouble, 64)
        case (.float, .float), (.float, .double): return make(.readFloat)
        case (.double, .double): return make(.readDouble)
        case (.string, .string), (.string, .bytes), (.string, .uuid), (.bytes, .string), (.bytes, .bytes):
            return make(.readBytes)
        case (.fixed(_, _, let size), .bytes): return make(.readFixed, size)
        case (.enumeration, .string): return make(.readSymbol, nodes.add(type))
        default:
            throw AvroSchemaError(
                .schemaCannotRead, "\(type.base.unionKind) cannot be read as \(wanted)", field: path)
        }
    }

    private func isMicros(_ type: AvroSchema) -> Bool {
        if case .logical(_, .timestampMicros) = type { return true }
        return false
    }

    /// Fills the columns that the writer lacks.
    mutating func constants(_ reader: AvroRecord?) throws(AvroSchemaError) {
        for (index, column) in columns.enumerated() where !found.contains(index) {
            if let value = Self.defaultValue(column.name, reader), value != .null {
                guard let constant = Self.constant(value, column.type) else {
                    throw AvroSchemaError(
                        .schemaCannotRead, "its default is not a value of \(column.type)", field: column.name)
                }
                constants.append((index, constant))
            } else if column.isNullable {
                constants.append((index, .null))
            } else {
                throw AvroSchemaError(
                    .schemaCannotRead, "the messages' schema lacks it, and it has neither a default nor allows null",
                    field: column.name)
            }
        }
    }

    private static func defaultValue(_ path: String, _ reader: AvroRecord?) -> AvroDefault? {
        var record = reader
        var value: AvroDefault?
        for part in path.split(separator: ".") {
            if case .object(let members)? = value, let member = members[String(part)] {
                value = member
                continue
            }
            guard let field = record?.fields.first(where: { $0.name == part }) else { return nil }
            value = field.defaultValue
            record = field.type.record
            if case .union(let branches) = field.type { record = branches.lazy.compactMap(\.record).first }
        }
        return value
    }

    private static func constant(_ value: AvroDefault, _ type: LogicalType) -> DecodePlan.Constant? {
        switch (type, value) {
        case (.boolean, .boolean(let flag)): .boolean(flag)
        case (.int, .integer(let number)), (.date, .integer(let number)):
            Int32(exactly: number).map { .integer(Int64($0)) }
        case (.long, .integer(let number)), (.timestamp, .integer(let number)): .integer(number)
        case (.float, .integer(let number)), (.double, .integer(let number)): .double(Double(number))
        case (.float, .double(let number)), (.double, .double(let number)): .double(number)
        case (.string, .string(let text)), (.uuid, .string(let text)): .bytes(Array(text.utf8))
        case (.bytes, .string(let text)): AvroDatum.bytes(text).map { .bytes($0) }
        case (.decimal, .string(let text)):
            AvroDatum.bytes(text).flatMap { bytes in bytes.withUnsafeBytes { AvroDecimal.read($0) } }.map {
                .decimal($0)
            }
        case (.json, _): .bytes(Array(value.json().utf8))
        default: nil
        }
    }
}
