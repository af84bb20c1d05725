internal import AvroSchema
internal import Compression
internal import DataPath
internal import Diagnostics

/// The records of an Avro container file as lines of JSON, one a record, so that mappings, money, missing fields and bad
/// values are judged by the same rules as those of an NDJSON file. Line numbers are record numbers. Threads: one.
final class ContainerLines: ByteInput {
    /// The names of the records' fields, those of nested records as dotted paths too.
    let fieldNames: [String]
    private let reader: AvroContainerReader
    private let decoder: AvroDecoder
    private let batch: RecordBatch
    private let writer: NDJSONWriter
    private let block = RecordBlock()
    private let lines = ByteBuffer()
    private var served = 0
    private let name: String

    /// Records rendered at once.
    private static let rows = 4096
    private var nextEntry = 0

    /// Reads the header. Throws ``PipelineError`` for a file that is no container or whose schema is no record.
    init(_ input: any ByteInput, name: String) throws {
        self.name = name
        reader = try AvroContainerReader(input: input, name: name)
        guard let record = reader.schema.record else {
            throw PipelineError(
                .avroContainer, "its schema is not a record", hint: "events are records with fields",
                component: "file \(name)")
        }
        fieldNames = record.paths(prefix: "")
        let columns = record.fields.map { ColumnSpec($0.name, $0.type.lineType, isNullable: $0.type.allowsNull) }
        let plan = try DecodePlan.compile(writer: reader.schema, columns: columns)
        decoder = AvroDecoder(plan: plan, key: HashKey(k0: 0, k1: 0))
        batch = RecordBatch(schema: plan.batchSchema)
        writer = NDJSONWriter(schema: plan.batchSchema, nesting: false)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if served == lines.count { try refill() }
        let count = min(buffer.count, lines.count - served)
        guard count > 0 else { return 0 }
        buffer.copyMemory(from: UnsafeRawBufferPointer(start: lines.bytes + served, count: count))
        served += count
        return count
    }

    private func refill() throws {
        lines.removeAll()
        served = 0
        if nextEntry == block.count {
            nextEntry = 0
            do {
                guard try reader.next(into: block) else {
                    block.removeAll()
                    return
                }
            } catch let error as PipelineError {
                throw InputError(source: name, reason: error.message)
            }
        }
        let end = min(nextEntry + Self.rows, block.count)
        batch.removeAll()
        var fault: (entry: Int, error: AvroDecodeError)?
        decoder.decode(block, entries: nextEntry..<end, prefixBytes: 0, into: batch) { fault = fault ?? ($0, $1) }
        if let fault {
            throw InputError(
                source: name,
                reason: "record \(block.entries[fault.entry].offset + 1) cannot be decoded: \(fault.error)")
        }
        nextEntry = end
        writer.write(batch, to: lines)
    }
}

extension AvroRecord {
    fileprivate func paths(prefix: String) -> [String] {
        fields.flatMap { field -> [String] in
            let path = prefix + field.name
            guard let nested = field.type.nestedRecord else { return [path] }
            return [path] + nested.paths(prefix: "\(path).")
        }
    }
}

extension AvroSchema {
    fileprivate var nestedRecord: AvroRecord? {
        switch self {
        case .record(let record): record
        case .union(let branches): branches.lazy.compactMap(\.nestedRecord).first
        default: nil
        }
    }

    /// The column type that a line shows a field of this type with: nested values as JSON.
    fileprivate var lineType: LogicalType {
        switch self {
        case .union(let branches):
            let others = branches.filter { $0 != .null }
            return others.count == 1 ? others[0].lineType : .json
        case .boolean: return .boolean
        case .int: return .int
        case .long: return .long
        case .float: return .float
        case .double: return .double
        case .string, .enumeration: return .string
        case .bytes, .fixed: return .bytes
        case .logical(let base, let logical):
            switch logical {
            case .date: return .date
            case .timestampMillis, .timestampMicros: return .timestamp
            case .uuid: return .string
            case .decimal(let precision, let scale):
                return precision <= 38 ? .decimal(precision: precision, scale: scale) : base.lineType
            }
        case .null, .record, .array, .map: return .json
        }
    }
}
