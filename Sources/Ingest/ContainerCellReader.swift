internal import AvroSchema
internal import CSIMDJSON
internal import DataPath
internal import RecordConversion

/// Which texts a slot's columns may ask for beside the value of a typed cell.
struct CellTextNeeds: OptionSet {
    let rawValue: UInt8

    static let ofIntegers = CellTextNeeds(rawValue: 1)
    static let ofDoubles = CellTextNeeds(rawValue: 2)
    static let ofTimes = CellTextNeeds(rawValue: 4)
    static let all: CellTextNeeds = [.ofIntegers, .ofDoubles, .ofTimes]
}

/// Decodes Avro datums into rows of cells. No bytes can make it crash. Threads: one at a time.
///
/// Strings are slices of the datum; other texts live in the arena.
final class ContainerCellReader {
    let cells: ContainerCells
    let arena = CellArena()
    private let steps: UnsafeMutablePointer<ContainerCells.Step>
    private let needs: [CellTextNeeds]
    private let scratch = ByteBuffer(capacity: 256)
    private let json = OutputBuffer()
    /// The symbols of enums, in step with the names of the nodes.
    private let symbols = BytesVector()

    private typealias Cursor = UnsafePointer<UInt8>
    typealias Row = UnsafeMutablePointer<sp_json_value>

    /// `needs`: per slot.
    init(_ cells: ContainerCells, needs: [CellTextNeeds]) {
        self.cells = cells
        self.needs = needs
        steps = .allocate(capacity: max(cells.steps.count, 1))
        for (index, step) in cells.steps.enumerated() { (steps + index).initialize(to: step) }
        for name in cells.nodes.names { name.withUnsafeBytes { symbols.append($0) } }
    }

    deinit { steps.deallocate() }

    /// Fills the row's cells of one datum; those that it lacks are absent.
    func read(_ datum: UnsafeRawBufferPointer, into row: Row) -> RecordStatus {
        for slot in needs.indices { row[slot] = sp_json_value() }
        guard let base = datum.bindMemory(to: UInt8.self).baseAddress else { return read(nothing: row) }
        var cursor = base
        let end = base + datum.count
        let status = read(cells.root, &cursor, end, row)
        return status == .fine && cursor != end ? .undecodable : status
    }

    /// A datum of no bytes, of which only a record without fields, or of nulls, consists.
    private func read(nothing row: Row) -> RecordStatus {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1) { empty in
            guard let base = empty.baseAddress else { return .undecodable }
            var cursor = UnsafePointer(base)
            return read(cells.root, &cursor, UnsafePointer(base), row)
        }
    }

    private func read(_ index: Int, _ cursor: inout Cursor, _ end: Cursor, _ row: Row) -> RecordStatus {
        let step = steps[index]
        switch step.action {
        case .skip: return cells.nodes.skip(step.argument, &cursor, end) ? .fine : .undecodable
        case .plainValue: return cells.nodes.skip(step.argument, &cursor, end) ? .plainValue : .undecodable
        case .null:
            for slot in cells.children[step.first..<step.first + step.count] { row[slot].kind = CellKind.null }
        case .record:
            for child in step.first..<step.first + step.count {
                let status = read(cells.children[child], &cursor, end, row)
                if status != .fine { return status }
            }
        case .union:
            guard let branch = AvroVarint.read(&cursor, end), branch >= 0, branch < Int64(step.count) else {
                return .undecodable
            }
            return read(cells.children[step.first + Int(branch)], &cursor, end, row)
        case .map: return map(step, &cursor, end, row)
        case .boolean:
            guard cursor < end, cursor[0] < 2 else { return .undecodable }
            let isTrue = cursor[0] == 1
            cursor += 1
            row[step.slot].kind = isTrue ? CellKind.true : CellKind.false
            put(isTrue ? "true" : "false", row + step.slot)
        case .int, .long: return integer(step, &cursor, end, row)
        case .date, .milliseconds, .microseconds: return time(step, &cursor, end, row)
        case .float, .double: return double(step, &cursor, end, row)
        case .string, .bytes:
            guard let bytes = AvroNodes.readBytes(&cursor, end) else { return .undecodable }
            let isText = step.action == .string
            put(bytes, isText ? CellKind.string : CellKind.bytes, row + step.slot)
            if isText, !TextFormat.isValidUTF8(bytes) { return .notUTF8 }
        case .fixed:
            let start = cursor
            guard AvroNodes.advance(&cursor, end, Int64(step.argument)) else { return .undecodable }
            put(UnsafeRawBufferPointer(start: start, count: step.argument), CellKind.bytes, row + step.slot)
        case .symbol:
            let node = cells.nodes.nodes[step.argument]
            guard let symbol = AvroVarint.read(&cursor, end), symbol >= 0, symbol < Int64(node.count) else {
                return .undecodable
            }
            put(symbols[node.firstName + Int(symbol)], CellKind.string, row + step.slot)
        case .decimal: return decimal(step, &cursor, end, row)
        case .object, .array:
            json.removeAll()
            guard cells.nodes.writeJSON(step.argument, &cursor, end, to: json) else { return .undecodable }
            let cell = row + step.slot
            cell.pointee.kind = step.action == .object ? CellKind.object : CellKind.array
            cell.pointee.text = arena.copy(json.bytes)
            cell.pointee.length = UInt32(json.count)
        }
        return .fine
    }

    private func map(
        _ step: ContainerCells.Step, _ cursor: inout Cursor, _ end: Cursor, _ row: Row
    ) -> RecordStatus {
        let size = cells.nodes.elementSize(cells.nodes.nodes[step.argument])
        let last = step.first + step.count - 1
        while true {
            guard let block = AvroNodes.block(&cursor, end, elementSize: size) else { return .undecodable }
            if block.count == 0 { return .fine }
            for _ in 0..<block.count {
                guard let key = AvroNodes.readBytes(&cursor, end) else { return .undecodable }
                let child = (step.first..<last).first { cells.keys[$0].elementsEqual(key) } ?? last
                let status = read(cells.children[child], &cursor, end, row)
                if status != .fine { return status }
            }
        }
    }

    private func integer(
        _ step: ContainerCells.Step, _ cursor: inout Cursor, _ end: Cursor, _ row: Row
    ) -> RecordStatus {
        guard let value = AvroVarint.read(&cursor, end), step.action == .long || Int32(exactly: value) != nil else {
            return .undecodable
        }
        let cell = row + step.slot
        cell.pointee.kind = CellKind.integer
        cell.pointee.integer = value
        if needs[step.slot].contains(.ofIntegers) {
            scratch.removeAll()
            TextFormat.writeInteger(value, to: scratch)
            keepText(cell)
        }
        return .fine
    }

    private func time(_ step: ContainerCells.Step, _ cursor: inout Cursor, _ end: Cursor, _ row: Row) -> RecordStatus {
        guard let value = AvroVarint.read(&cursor, end), step.action != .date || Int32(exactly: value) != nil else {
            return .undecodable
        }
        let cell = row + step.slot
        cell.pointee.kind = step.action == .date ? CellKind.day : CellKind.instant
        // Rounded down, so that instants before 1970 keep their order.
        cell.pointee.integer = step.action == .microseconds ? TextFormat.floorDivide(value, by: 1000) : value
        if step.action == .date || needs[step.slot].contains(.ofTimes) {
            scratch.removeAll()
            if step.action == .date {
                TextFormat.writeDate(value, to: scratch)
            } else {
                TextFormat.writeTimestamp(cell.pointee.integer, to: scratch)
            }
            keepText(cell)
        }
        return .fine
    }

    private func double(
        _ step: ContainerCells.Step, _ cursor: inout Cursor, _ end: Cursor, _ row: Row
    ) -> RecordStatus {
        let start = UnsafeRawPointer(cursor)
        let isFloat = step.action == .float
        guard AvroNodes.advance(&cursor, end, isFloat ? 4 : 8) else { return .undecodable }
        let cell = row + step.slot
        cell.pointee.kind = CellKind.double
        let needsText = needs[step.slot].contains(.ofDoubles)
        scratch.removeAll()
        if isFloat {
            let value = Float(bitPattern: UInt32(littleEndian: start.loadUnaligned(as: UInt32.self)))
            cell.pointee.number = Double(value)
            // The shortest text of a float is not that of the double of the same value.
            if needsText { scratch.append(value.description) }
        } else {
            let value = Double(bitPattern: UInt64(littleEndian: start.loadUnaligned(as: UInt64.self)))
            cell.pointee.number = value
            if needsText { TextFormat.writeDouble(value, to: scratch) }
        }
        if needsText { keepText(cell) }
        return .fine
    }

    private func decimal(
        _ step: ContainerCells.Step, _ cursor: inout Cursor, _ end: Cursor, _ row: Row
    ) -> RecordStatus {
        let bytes: UnsafeRawBufferPointer
        if step.argument < 0 {
            guard let read = AvroNodes.readBytes(&cursor, end) else { return .undecodable }
            bytes = read
        } else {
            bytes = UnsafeRawBufferPointer(start: cursor, count: step.argument)
            guard AvroNodes.advance(&cursor, end, Int64(step.argument)) else { return .undecodable }
        }
        guard let value = AvroDecimal.read(bytes) else { return .undecodable }
        scratch.removeAll()
        TextFormat.writeDecimal(value, scale: step.scale, to: scratch)
        (row + step.slot).pointee.kind = CellKind.bigNumber
        keepText(row + step.slot)
        return .fine
    }

    private func put(_ bytes: UnsafeRawBufferPointer, _ kind: UInt32, _ cell: Row) {
        cell.pointee.kind = kind
        cell.pointee.text = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        cell.pointee.length = UInt32(bytes.count)
    }

    private func put(_ text: StaticString, _ cell: Row) {
        cell.pointee.text = UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
        cell.pointee.length = UInt32(text.utf8CodeUnitCount)
    }

    private func keepText(_ cell: Row) {
        cell.pointee.text = arena.copy(scratch.contents)
        cell.pointee.length = UInt32(scratch.count)
    }
}
