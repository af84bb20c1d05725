internal import DataPath
internal import Diagnostics
internal import PluginAPI

/// Appends rows in ClickHouse's format RowBinary: the values of a row one after another, little-endian, a nullable one
/// with a byte 1 (null) or 0 in front, text with its length as LEB128, arrays and maps with the number of their elements.
/// The version of the row comes last.
///
/// Source: the format's page in ClickHouse's manual; the order of a UUID's bytes was read back from a server.
struct RowBinaryEncoder {
    private let columns: [ColumnSpec]
    private let forms: [ColumnForm]
    /// Of the columns that are arrays or maps; nil for the others.
    private let nested: [NestedEncoder?]

    init(_ columns: [ColumnSpec], _ version: ServerVersion) {
        self.columns = columns
        forms = columns.map { ColumnForm($0, version) }
        nested = forms.map { NestedEncoder($0) }
    }

    /// `rows` has these columns in this order. Its first row has the version `firstVersion`, each other one more than the
    /// one before. Only `part` of the rows is appended, all when it is nil. Nothing is appended when it throws: ``RefusedRows`` names every row with a value that does not fit.
    func append(
        _ rows: RecordBatch, part: Range<Int>? = nil, firstVersion: UInt64, to out: ByteBuffer
    ) throws {
        guard rows.columns.count == columns.count else {
            throw Self.misfit("the rows have \(rows.columns.count) columns and the table \(columns.count)")
        }
        let cells = try columns.indices.map { try RowBinaryCell(columns[$0], forms[$0], rows.columns[$0]) }
        let part = part ?? 0..<rows.rowCount
        let start = out.count
        var misfits: [Misfit] = []
        cells.withUnsafeBufferPointer { cells in
            var row = part.lowerBound
            while row < part.upperBound {
                guard let misfit = write(cells, rows: row..<part.upperBound, firstVersion: firstVersion, to: out)
                else { break }
                misfits.append(misfit)
                row = misfit.row + 1
            }
        }
        if !misfits.isEmpty {
            out.count = start
            throw RefusedRows(
                code: .clickHouseRows,
                rows: misfits.map { misfit in
                    let name = columns[misfit.column].name
                    return .init(
                        row: misfit.row, column: name, reason: "a value of column '\(name)' does not fit its type")
                })
        }
    }

    static func misfit(_ message: String) -> PipelineError {
        PipelineError(.clickHouseRows, message, hint: "this is a defect of streamplat or of the events' schema")
    }

    private typealias Misfit = (row: Int, column: Int)

    /// The first value that does not fit; nil when all fit.
    private func write(
        _ cells: UnsafeBufferPointer<RowBinaryCell>, rows: Range<Int>, firstVersion: UInt64, to out: ByteBuffer
    ) -> Misfit? {
        guard let first = cells.baseAddress else { return nil }
        let cellCount = cells.count
        // Room for everything of a row but the bytes of its texts.
        let fixedBytes = RowBinaryCell.widest * (cellCount + 1)
        var misfit: Int?
        for row in rows {
            out.reserve(fixedBytes)
            var end = UnsafeMutableRawPointer(out.end)
            for index in 0..<cellCount {
                let cell = first + index
                if cell.pointee.isNullable {
                    let isNull = cell.pointee.nulls[row]
                    end.storeBytes(of: isNull ? 1 : 0, as: UInt8.self)
                    end += 1
                    if isNull { continue }
                } else if cell.pointee.hasNulls, cell.pointee.nulls[row] {
                    // What lies under a null is no value; a required column has no room for none.
                    return (row, index)
                }
                let values = cell.pointee.values
                switch cell.pointee.kind {
                case .byte:
                    end.storeBytes(of: values.load(fromByteOffset: row, as: UInt8.self), as: UInt8.self)
                    end += 1
                case .int32:
                    let value = values.load(fromByteOffset: row &* 8, as: Int64.self)
                    let narrow = Int32(truncatingIfNeeded: value)
                    if Int64(narrow) != value { misfit = index }
                    end.storeBytes(of: narrow.littleEndian, as: Int32.self)
                    end += 4
                case .eightBytes:
                    let value = values.load(fromByteOffset: row &* 8, as: UInt64.self)
                    end.storeBytes(of: value.littleEndian, as: UInt64.self)
                    end += 8
                case .float32:
                    let value = Float(values.load(fromByteOffset: row &* 8, as: Double.self))
                    end.storeBytes(of: value.bitPattern.littleEndian, as: UInt32.self)
                    end += 4
                case .decimal(let width):
                    let value = values.load(fromByteOffset: row &* 16, as: Int128.self)
                    switch width {
                    case 4:
                        let narrow = Int32(truncatingIfNeeded: value)
                        if Int128(narrow) != value { misfit = index }
                        end.storeBytes(of: narrow.littleEndian, as: Int32.self)
                    case 8:
                        let narrow = Int64(truncatingIfNeeded: value)
                        if Int128(narrow) != value { misfit = index }
                        end.storeBytes(of: narrow.littleEndian, as: Int64.self)
                    default: end.storeBytes(of: value.littleEndian, as: Int128.self)
                    }
                    end += Int(width)
                case .bytes, .uuid:
                    let text = cell.pointee.text(row)
                    if case .uuid = cell.pointee.kind {
                        if !UUIDBytes.write(text, to: end) { misfit = index }
                        end += 16
                        continue
                    }
                    Self.writeLength(text.count, &end)
                    out.count = end - UnsafeMutableRawPointer(out.bytes)
                    out.reserve(text.count &+ fixedBytes)
                    end = UnsafeMutableRawPointer(out.end)
                    if let base = text.baseAddress { end.copyMemory(from: base, byteCount: text.count) }
                    end += text.count
                case .nested:
                    out.count = end - UnsafeMutableRawPointer(out.bytes)
                    if nested[index]?.append(cell.pointee.text(row), to: out) != true { misfit = index }
                    out.reserve(fixedBytes)
                    end = UnsafeMutableRawPointer(out.end)
                }
            }
            end.storeBytes(of: (firstVersion &+ UInt64(row)).littleEndian, as: UInt64.self)
            out.count = end + 8 - UnsafeMutableRawPointer(out.bytes)
            if let misfit { return (row, misfit) }
        }
        return nil
    }

    @inline(__always)
    static func writeLength(_ count: Int, _ end: inout UnsafeMutableRawPointer) {
        var rest = UInt64(count)
        while rest >= 0x80 {
            end.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
            end += 1
            rest >>= 7
        }
        end.storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
        end += 1
    }
}
