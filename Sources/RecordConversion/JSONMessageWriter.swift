internal import AvroSchema
public import DataPath
internal import Diagnostics
public import PlatformModel

/// Writes batches of events as JSON messages, as ``JSONMessageReader`` reads them: with the names that the event type has
/// in messages, and its time in its format. Threads: one at a time.
public final class JSONMessageWriter {
    /// How a column's values become those of the message.
    private enum Conversion {
        case none
        /// Of a time, in units of which a millisecond has so many.
        case integers(perMillisecond: Int64)
        /// A whole number as a decimal of this scale.
        case decimal(scale: Int)
    }

    private let batchColumns: BatchSchema
    private let written: [(column: Int, conversion: Conversion)]
    private let writer: NDJSONWriter
    /// Judges the rows, so that the messages hold what the event type's schema allows, and gives keys and times.
    private let judge: AvroEncoder
    private let judged = RecordBlock()
    private let text = ByteBuffer()
    private var ends: [Int] = []
    private var isRefused: [Bool] = []

    /// Throws ``PipelineError`` `SP6141` when the format of the event's time can only be read.
    public init(_ eventType: EventType) throws {
        if let format = eventType.eventTime?.format, !EventTime.namedFormats.contains(format) {
            throw PipelineError(
                .eventTimeReadOnly,
                "events cannot be written to topic '\(eventType.topic.name)': the time format '\(format)' can only be read",
                hint: "write to it in event_time's format \(EventTime.namedFormats.joined(separator: ", "))",
                exitCode: 2)
        }
        batchColumns = BatchSchema(eventType.columns)
        judge = AvroEncoder(plan: try EncodePlan.compile(schema: eventType.schema, columns: batchColumns))
        let places = Self.places(of: eventType)
        written = places.map { ($0.column, $0.conversion) }
        writer = NDJSONWriter(schema: BatchSchema(places.map(\.spec)), names: places.map(\.path))
    }

    /// A value of the message.
    private struct Place {
        var column: Int
        var path: String
        var spec: ColumnSpec
        var conversion: Conversion
    }

    private static func places(of eventType: EventType) -> [Place] {
        var paths: [String: String] = [:]
        for name in eventType.messageNames where paths[name.column] == nil { paths[name.column] = name.path }
        var places = eventType.columns.enumerated().map { index, spec in
            var place = Place(column: index, path: paths[spec.name] ?? spec.name, spec: spec, conversion: .none)
            if spec.name == "timestamp" {
                (place.conversion, place.spec.type) = timeConversion(eventType.eventTime?.format)
            } else if let (path, scale) = amount(spec, eventType, paths) {
                place.path = path
                place.spec.type = .decimal(precision: 38, scale: scale)
                place.conversion = .decimal(scale: scale)
            }
            return place
        }
        // The event's time may be one of its fields, and is then what that field holds; its id is what the field holds.
        let (id, time) = (places[0], places[1])
        let idIsField = places.dropFirst(2).contains { $0.path == id.path }
        places.removeAll { $0.column > 1 && $0.path == time.path }
        if idIsField { places.removeFirst() }
        return places
    }

    /// The name and scale of a money column that messages hold as an amount.
    private static func amount(
        _ spec: ColumnSpec, _ eventType: EventType, _ paths: [String: String]
    ) -> (path: String, scale: Int)? {
        guard paths[spec.name] == nil, spec.name.hasSuffix("_cents"), let path = paths[String(spec.name.dropLast(6))],
            let scale = moneyScale(spec.name[...], eventType.fields)
        else { return nil }
        return (path, scale)
    }

    /// Nil when the column is not one of money.
    private static func moneyScale(_ column: Substring, _ fields: [Field]) -> Int? {
        for field in fields {
            if case .money(let scale) = field.type, field.storedName == column { return scale }
            if case .record(let inner) = field.type, column.hasPrefix(field.name + ".") {
                return moneyScale(column.dropFirst(field.name.count + 1), inner)
            }
        }
        return nil
    }

    /// Seconds keep the milliseconds after the point.
    private static func timeConversion(_ format: String?) -> (Conversion, LogicalType) {
        switch format {
        case "epoch_ms": (.integers(perMillisecond: 1), .long)
        case "epoch_us": (.integers(perMillisecond: 1000), .long)
        case "epoch_s": (.decimal(scale: 3), .decimal(precision: 38, scale: 3))
        default: (.none, .timestamp)
        }
    }

    /// Appends one message per row of a batch of the event type's columns; key and timestamp as ``AvroEncoder`` has them.
    ///
    /// A row that the event type's schema or JSON cannot hold adds nothing and is reported with its index.
    public func write(
        _ batch: RecordBatch, keyColumn: Int?, timestampColumn: Int, into block: RecordBlock,
        onError: (Int, AvroEncodeError) -> Void
    ) {
        isRefused = Array(repeating: false, count: batch.rowCount)
        judged.removeAll()
        judge.encode(batch, schemaID: nil, keyColumn: keyColumn, timestampColumn: timestampColumn, into: judged) {
            isRefused[$0] = true
            onError($0, $1)
        }
        // The judged entries are those of the rows that the schema holds.
        let isKept = isRefused.map { !$0 }
        refuseWhatIsNoNumber(batch, onError)
        let message = RecordBatch(
            schema: writer.schema, columns: written.map { Self.convert(batch.columns[$0.column], $0.conversion) },
            rowCount: batch.rowCount)
        text.removeAll()
        ends = Array(repeating: 0, count: batch.rowCount)
        ends.withUnsafeMutableBufferPointer { writer.write(message, to: text, ends: $0.baseAddress) }
        block.reserve(text.count + judged.byteCount)
        var entry = 0
        for row in 0..<batch.rowCount where isKept[row] {
            let judgedEntry = judged.entries[entry]
            entry += 1
            guard !isRefused[row] else { continue }
            let start = row == 0 ? 0 : ends[row - 1]
            block.append(
                key: judged.key(judgedEntry),
                value: UnsafeRawBufferPointer(start: text.bytes + start, count: ends[row] - start - 1),
                timestamp: judgedEntry.timestamp)
        }
    }

    /// NaN and the infinities have no place in JSON; they must not become null unseen.
    private func refuseWhatIsNoNumber(_ batch: RecordBatch, _ onError: (Int, AvroEncodeError) -> Void) {
        for (index, column) in batch.columns.enumerated() {
            guard case .double(let vector) = column else { continue }
            for row in 0..<batch.rowCount
            where !vector.nulls[row] && !vector.values[row].isFinite && !isRefused[row] {
                isRefused[row] = true
                onError(row, AvroEncodeError(.outOfRange, field: batchColumns.columns[index].name))
            }
        }
    }

    private static func convert(_ column: ColumnVector, _ conversion: Conversion) -> ColumnVector {
        guard case .int64(let from) = column else { return column }
        switch conversion {
        case .none, .integers(perMillisecond: 1): return column
        case .integers(let factor):
            let to = FixedVector<Int64>(capacity: from.count)
            for row in 0..<from.count {
                if from.nulls[row] { to.appendNull() } else { to.append(from.values[row] &* factor) }
            }
            return .int64(to)
        case .decimal:
            let to = FixedVector<Int128>(capacity: from.count)
            for row in 0..<from.count {
                if from.nulls[row] { to.appendNull() } else { to.append(Int128(from.values[row])) }
            }
            return .int128(to)
        }
    }
}
