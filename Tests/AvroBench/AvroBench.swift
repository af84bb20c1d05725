import AvroSchema
import CLibAvro
import DataPath
import Glibc

/// Prints what a purchase costs to decode, by the plan decoder and by libavro, and to encode: nanoseconds of this thread's
/// processor time, medians of rounds in turn, as a line of JSON. Fails when one of them did not do its work.
///
/// With two arguments, what and how often, it does only that, prints the number of rows, and leaves the measuring to others
/// (callgrind).
@main
struct AvroBench {
    static let rows = 4096
    static let passes = 25
    static let rounds = 11

    static func main() throws {
        let block = RecordBlock()
        let schema = try AvroSchema.parse(json: Purchases.schema)
        guard case .record(let record) = schema else { throw Failed("the schema is no record") }
        let purchases = Purchases.batch(rows: rows)
        let encoder = AvroEncoder(plan: try .compile(schema: record, columns: purchases.schema))
        encode(purchases, encoder, into: block)
        guard block.count == rows else { throw Failed("\(block.count) of \(rows) rows were encoded") }

        let few = try PlanReader(schema, Purchases.counted)
        let all = try PlanReader(schema, Purchases.columns.map { ColumnSpec($0.name, $0.type) })
        let libavro = try LibAvroReader(schemaJSON: Purchases.schema)
        let other = RecordBlock()
        let kinds: [(name: String, pass: () throws -> Void)] = [
            ("decode_counted", { try few.read(block) }), ("decode_libavro", { try libavro.read(block) }),
            ("decode_all", { try all.read(block) }), ("encode_all", { encode(purchases, encoder, into: other) }),
        ]
        if CommandLine.arguments.count == 3 {
            guard let kind = kinds.first(where: { $0.name == CommandLine.arguments[1] }),
                let passes = Int(CommandLine.arguments[2])
            else { throw Failed("usage: avro-bench [decode_counted|decode_libavro|decode_all|encode_all PASSES]") }
            for _ in 0..<passes { try kind.pass() }
            print("\(passes * rows)")
            return
        }
        var times = kinds.map { _ in [Double]() }
        for _ in 0..<rounds {
            for (index, kind) in kinds.enumerated() { times[index].append(try nanoseconds(kind.pass)) }
        }
        let ratios = zip(times[1], times[2]).map { $0 / $1 }
        let figures = zip(kinds, times).map { "\"\($0.name)\": \(rounded(median($1)))" }
        print("{\(figures.joined(separator: ", ")), \"libavro_to_all\": \(rounded(median(ratios)))}")
    }

    static func encode(_ batch: RecordBatch, _ encoder: AvroEncoder, into block: RecordBlock) {
        block.removeAll()
        encoder.encode(batch, schemaID: 1, keyColumn: 2, timestampColumn: 1, into: block) { _, _ in }
    }

    /// Processor time of one row, over `passes` times all of them.
    private static func nanoseconds(_ pass: () throws -> Void) rethrows -> Double {
        let start = processorTime()
        for _ in 0..<passes { try pass() }
        return Double(processorTime() - start) / Double(passes * rows)
    }

    private static func processorTime() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}

struct Failed: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
