import DataPath
import StreamRuntime

extension FuzzTarget {
    /// A checkpoint's file: read or refused, and written again as the same checkpoint. An odd first byte puts a right
    /// header, of version 1, 3 or 4, before the bytes, so that what is behind the checksum is reached.
    static let checkpoint = FuzzTarget("checkpoint") { input in
        guard let (variant, contents) = input.variant else { return }
        let file = variant & 1 == 0 ? Array(contents) : framed(contents, version: [1, 3, 4, 4][Int(variant >> 1 & 3)])
        guard let checkpoint = try? Checkpoint(decoding: file) else { return }
        let written = checkpoint.encoded()
        let again = try Checkpoint(decoding: written)
        try promise(again.encoded() == written, "a checkpoint is read back as another one")
    }

    private static func framed(_ payload: UnsafeRawBufferPointer, version: UInt32) -> [UInt8] {
        var file = Array("SPCK".utf8)
        func put(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { file.append(contentsOf: $0) }
        }
        put(version)
        put(UInt64(payload.count))
        put(CRC32C.checksum(payload))
        return file + payload
    }

    /// A shard's saved state: restored or refused; saved again it is the state that a second restore gives, and rows can
    /// be made of it. The first byte chooses the window, and whether there are two parts, the first of which has its length
    /// before it.
    static let state = FuzzTarget("state") { input in
        guard let (variant, saved) = input.variant else { return }
        let spec = FuzzAggregation.spec(isSliding: variant & 1 != 0)
        let first = try ShardAggregator(spec: spec, hashKey: HashKey(k0: 1, k1: 2))
        do {
            if variant & 2 == 0 {
                try first.restore(from: saved, fingerprint: "f")
            } else {
                guard saved.count >= 2 else { return }
                let length = Int(saved.loadUnaligned(as: UInt16.self).littleEndian)
                let parts = [saved.dropFirst(2).prefix(length), saved.dropFirst(2 + length)]
                try StateRestorer(first, fingerprint: "f").restore(parts: 2) { part, take in
                    try take(UnsafeRawBufferPointer(rebasing: parts[part]))
                }
            }
        } catch is AggregationError {
            return
        }
        var bytes: [UInt8] = []
        try first.serialize(into: &bytes, fingerprint: "f")
        let second = try ShardAggregator(spec: spec, hashKey: HashKey(k0: 1, k1: 2))
        try bytes.withUnsafeBytes { try second.restore(from: $0, fingerprint: "f") }
        try promise(second.openGroups == first.openGroups, "\(first.openGroups) groups, then \(second.openGroups)")
        try promise(rows(first) == rows(second), "other rows after a second restore")
    }

    /// All rows, open windows too; the message of an error in place of them (a sum may be too large for its type).
    private static func rows(_ shard: ShardAggregator) -> String {
        let batch = RecordBatch(schema: ShardAggregator.resultSchema(shard.spec))
        do throws(AggregationError) {
            try shard.takeDue(.updates, into: batch)
            try shard.takeOpen(into: batch)
        } catch {
            return error.description
        }
        return lines(batch)
    }
}

/// Every kind of group and of measure.
enum FuzzAggregation {
    static func spec(isSliding: Bool) -> AggregationSpec {
        func measure(
            _ name: String, _ function: AggregateFunction, _ input: LogicalType?, _ result: LogicalType
        ) -> MeasureSpec {
            MeasureSpec(
                name: name, function: function, column: input.map { _ in name }, inputType: input, resultType: result)
        }
        let decimal = LogicalType.decimal(precision: 10, scale: 2)
        return AggregationSpec(
            name: "fuzz",
            window: WindowSpec(durationMilliseconds: 60_000, slideMilliseconds: isSliding ? 20_000 : nil),
            groups: [
                ColumnSpec("s", .string, isNullable: true), ColumnSpec("l", .long, isNullable: true),
                ColumnSpec("b", .boolean, isNullable: true), ColumnSpec("d", .double, isNullable: true),
                ColumnSpec("m", decimal, isNullable: true),
            ],
            measures: [
                measure("n", .count, nil, .long), measure("u", .countDistinct, .string, .long),
                measure("total", .sum, .long, .long),
                measure("money", .sum, decimal, .decimal(precision: 38, scale: 2)),
                measure("mean", .avg, decimal, .decimal(precision: 14, scale: 6)), measure("x", .sum, .double, .double),
                measure("y", .avg, .double, .double), measure("low", .min, .long, .long),
                measure("high", .max, .double, .double), measure("first", .min, .string, .string),
                measure("best", .max, decimal, decimal),
            ],
            watermarkDelayMilliseconds: 5_000, allowedLatenessMilliseconds: 10_000)
    }
}
