internal import DataPath

/// Appends rows of batches as tuples of PostgreSQL's binary COPY format, each with its number in front.
///
/// A tuple is the number of fields (16 bits), then for each field its length (32 bits, -1 = null) and its value, all
/// big-endian. Source: PostgreSQL's documentation of COPY, "Binary Format". Threads: one at a time.
struct CopyEncoder {
    private let names: [String]
    private let types: [PostgresType]
    /// Of the columns that are arrays; nil for the others.
    private let arrays: [ArrayEncoder?]
    /// Text that PostgreSQL cannot hold is repaired, not refused.
    private let replacesText: Bool

    /// Room for a tuple whose columns are all of bounded size.
    private var rowRoom: Int { 2 + 12 + types.count * BinaryValue.longest }

    init(_ columns: [ColumnSpec], replacesText: Bool) {
        names = columns.map(\.name)
        types = columns.map { PostgresType($0) }
        arrays = types.map { type in
            if case .array(let element) = type { ArrayEncoder(element, replacesText: replacesText) } else { nil }
        }
        self.replacesText = replacesText
    }

    static func appendHeader(to buffer: ByteBuffer) {
        buffer.append("PGCOPY\n")
        for byte: UInt8 in [0xFF, 0x0D, 0x0A, 0x00] { buffer.append(byte) }
        // No flags, no extension.
        for _ in 0..<8 { buffer.append(0) }
    }

    static func appendTrailer(to buffer: ByteBuffer) {
        for _ in 0..<2 { buffer.append(0xFF) }
    }

    /// Appends every row; the first is numbered `firstNumber`. When it throws, nothing was appended: ``UnstorableRows`` names
    /// every row that cannot be.
    func append(_ rows: RecordBatch, firstNumber: Int64, to buffer: ByteBuffer) throws {
        var columns: [CopyColumn] = []
        for (index, type) in types.enumerated() {
            guard let column = CopyColumn(rows.columns[index], type) else {
                throw UnstorableValue(column: names[index], reason: .hashed)
            }
            columns.append(column)
        }
        let start = buffer.count
        var faults: [Fault] = []
        columns.withUnsafeBufferPointer { columns in
            withExtendedLifetime(rows) {
                var row = 0
                while row < rows.rowCount {
                    guard let fault = encode(columns, row..<rows.rowCount, firstNumber, buffer) else { break }
                    faults.append(fault)
                    row = fault.row + 1
                }
            }
        }
        if !faults.isEmpty {
            buffer.count = start
            throw UnstorableRows(
                rows: faults.map { ($0.row, UnstorableValue(column: names[$0.column], reason: $0.reason)) })
        }
    }

    private typealias Fault = (row: Int, column: Int, reason: UnstorableValue.Reason)

    private func encode(
        _ columns: UnsafeBufferPointer<CopyColumn>, _ rows: Range<Int>, _ firstNumber: Int64, _ buffer: ByteBuffer
    ) -> Fault? {
        let rowRoom = rowRoom
        for row in rows {
            buffer.reserve(rowRoom)
            var cursor = buffer.end
            BinaryValue.put(Int16(truncatingIfNeeded: columns.count + 1), &cursor)
            BinaryValue.putSized(firstNumber &+ Int64(row), &cursor)
            for index in 0..<columns.count {
                let column = columns[index]
                if column.isNull(row) {
                    BinaryValue.putNull(&cursor)
                } else if column.kind == .array, let array = arrays[index] {
                    if let reason = array.encode(column.bytes(row)) { return (row, index, reason) }
                    Self.put(array.value, &cursor, buffer, rowRoom)
                } else if let reason = encode(column, row, &cursor, buffer, rowRoom) {
                    return (row, index, reason)
                }
            }
            buffer.count = cursor - buffer.bytes
        }
        return nil
    }

    @inline(__always)
    private func encode(
        _ column: CopyColumn, _ row: Int, _ cursor: inout BinaryValue.Cursor, _ buffer: ByteBuffer, _ rowRoom: Int
    ) -> UnstorableValue.Reason? {
        switch column.kind {
        case .boolean: BinaryValue.put(boolean: column.value(row, as: Bool.self), &cursor)
        case .integer:
            guard let value = Int32(exactly: column.value(row, as: Int64.self)) else { return .integer }
            BinaryValue.putSized(value, &cursor)
        case .bigint: BinaryValue.putSized(column.value(row, as: Int64.self), &cursor)
        case .real: BinaryValue.put(float: Float(column.value(row, as: Double.self)), &cursor)
        case .double: BinaryValue.put(double: column.value(row, as: Double.self), &cursor)
        case .date:
            guard BinaryValue.put(date: column.value(row, as: Int64.self), &cursor) else { return .date }
        case .timestamp:
            guard BinaryValue.put(timestamp: column.value(row, as: Int64.self), &cursor) else { return .timestamp }
        case .numeric: BinaryValue.put(numeric: column.value(row, as: Int128.self), scale: column.scale, &cursor)
        case .uuid: guard BinaryValue.put(uuid: column.bytes(row), &cursor) else { return .uuid }
        case .bytea: Self.put(column.bytes(row), &cursor, buffer, rowRoom)
        case .text:
            let text = column.bytes(row)
            if StorableText.isStorable(text) {
                Self.put(text, &cursor, buffer, rowRoom)
            } else {
                guard replacesText else { return .text }
                StorableText.repaired(text).withUnsafeBytes { Self.put($0, &cursor, buffer, rowRoom) }
            }
        case .jsonb:
            let text = column.bytes(row)
            if StorableText.isStorableJSON(text) {
                Self.put(text, version: 1, &cursor, buffer, rowRoom)
            } else {
                guard replacesText else { return .text }
                StorableText.repairedJSON(text).withUnsafeBytes {
                    Self.put($0, version: 1, &cursor, buffer, rowRoom)
                }
            }
        case .array: break
        }
        return nil
    }

    /// A value of any length, after the version byte that `jsonb` has. Afterwards there is room for a row again.
    @inline(__always)
    private static func put(
        _ bytes: UnsafeRawBufferPointer, version: UInt8? = nil, _ cursor: inout BinaryValue.Cursor,
        _ buffer: ByteBuffer, _ rowRoom: Int
    ) {
        buffer.count = cursor - buffer.bytes
        buffer.reserve(5 + bytes.count + rowRoom)
        cursor = buffer.end
        BinaryValue.put(Int32(truncatingIfNeeded: bytes.count + (version == nil ? 0 : 1)), &cursor)
        if let version { BinaryValue.put(version, &cursor) }
        if let base = bytes.baseAddress {
            UnsafeMutableRawPointer(cursor).copyMemory(from: base, byteCount: bytes.count)
            cursor += bytes.count
        }
    }
}
