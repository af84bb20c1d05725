internal import AvroSchema
internal import CSIMDJSON
internal import Compression
internal import DataPath
internal import Diagnostics
internal import RecordConversion

/// The records of an Avro container file, decoded straight into cells. Line numbers are record numbers. Threads: one.
final class ContainerSource: RecordSource {
    private(set) var loss: SourceLoss?
    private let reader: AvroContainerReader
    private let cellReader: ContainerCellReader
    private let recordByteLimit: Int
    private let block = RecordBlock()
    private var nextEntry = 0
    /// Not yet handed out.
    private var losses: [AvroContainerLoss] = []
    /// The bytes of the loss that the table shows.
    private let lostBytes = ByteBuffer()

    var hasLines: Bool { false }
    var ignoredColumns: [String] { cellReader.cells.ignoredColumns }
    var fieldNames: [String] { cellReader.cells.fieldNames }

    /// Reads the header. Throws ``PipelineError`` for a file that is no container or whose schema is no record.
    init(_ input: any ByteInput, name: String, plan: ConversionPlan, recordByteLimit: Int) throws {
        reader = try AvroContainerReader(input: input, name: name)
        guard let record = reader.schema.record else {
            throw PipelineError(
                .avroContainer, "its schema is not a record", hint: "events are records with fields",
                component: "file \(name)")
        }
        cellReader = ContainerCellReader(
            ContainerCells(record: record, paths: plan.paths), needs: plan.textNeeds)
        self.recordByteLimit = recordByteLimit
    }

    func read(into table: CellTable, maxRecords: Int) throws -> Int {
        cellReader.arena.removeAll()
        loss = nil
        while nextEntry == block.count {
            if !losses.isEmpty {
                show(losses.removeFirst(), in: table)
                return 1
            }
            nextEntry = 0
            if try !reader.next(into: block, losses: &losses) {
                block.removeAll()
                return 0
            }
        }
        let entries = nextEntry..<min(nextEntry + maxRecords, block.count)
        nextEntry = entries.upperBound
        table.base = UnsafePointer(block.bytes)
        table.firstRecord = Int(block.entries[entries.lowerBound].offset) + 1
        table.firstLine = table.firstRecord
        for (row, index) in entries.enumerated() {
            let entry = block.entries[index]
            var record = sp_json_record(
                start: entry.valueStart, length: entry.valueLength, line: UInt32(row),
                status: RecordStatus.fine.rawValue, error_offset: 0, reserved: 0)
            if entry.valueLength > recordByteLimit {
                record.status = RecordStatus.tooLarge.rawValue
            } else {
                let datum = UnsafeRawBufferPointer(start: block.bytes + entry.valueStart, count: entry.valueLength)
                record.status = cellReader.read(datum, into: table.values + row * table.width).rawValue
            }
            table.records[row] = record
        }
        return entries.count
    }

    private func show(_ lost: AvroContainerLoss, in table: CellTable) {
        loss = SourceLoss(recordCount: lost.recordCount, reason: lost.description)
        lostBytes.removeAll()
        lost.bytes.withUnsafeBytes { lostBytes.append($0) }
        table.base = UnsafePointer(lostBytes.bytes)
        table.firstRecord = lost.firstRecord
        table.firstLine = lost.firstRecord
        table.records[0] = sp_json_record(
            start: 0, length: lost.bytes.count, line: 0, status: RecordStatus.lost.rawValue, error_offset: 0,
            reserved: lost.bytes.count < lost.byteCount ? 1 : 0)
    }
}

extension ConversionPlan {
    /// Per path: which texts its columns read.
    var textNeeds: [CellTextNeeds] {
        var needs = [CellTextNeeds](repeating: [], count: paths.count)
        for (index, column) in columns.enumerated() {
            if column.slot >= 0 { needs[column.slot].formUnion(index == eventIDColumn ? .all : column.textNeeds) }
            if column.amountSlot >= 0 { needs[column.amountSlot].formUnion(.all) }
        }
        return needs
    }
}

extension ConversionPlan.Column {
    fileprivate var textNeeds: CellTextNeeds {
        switch conversion {
        case .float, .double: .ofTimes
        case .int, .long, .money: [.ofDoubles, .ofTimes]
        case .timestamp: [.ofIntegers, .ofDoubles]
        default: .all
        }
    }
}
