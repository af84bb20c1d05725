import DataPath

/// The record that is measured: the purchase of `scripts/bench`, about 105 bytes of Avro.
enum Purchases {
    static let schema = """
        {"type": "record", "name": "purchase", "namespace": "bench", "fields": [
          {"name": "event_id", "type": "string"},
          {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}},
          {"name": "user_id", "type": "string"}, {"name": "device_type", "type": "string"},
          {"name": "country", "type": "string"}, {"name": "category", "type": "string"},
          {"name": "quantity", "type": "int"}, {"name": "unit_price", "type": "double"},
          {"name": "total_amount", "type": "double"}]}
        """

    static let columns = [
        ColumnSpec("event_id", .string), ColumnSpec("timestamp", .timestamp), ColumnSpec("user_id", .string),
        ColumnSpec("device_type", .string), ColumnSpec("country", .string), ColumnSpec("category", .string),
        ColumnSpec("quantity", .int), ColumnSpec("unit_price", .double), ColumnSpec("total_amount", .double),
    ]

    /// What a count of users and a sum by minute, device and country reads of it.
    static let counted = [
        ColumnSpec("timestamp", .timestamp), ColumnSpec("user_id", .string, encoding: .hash),
        ColumnSpec("device_type", .string, encoding: .dictionary),
        ColumnSpec("country", .string, encoding: .dictionary), ColumnSpec("total_amount", .double),
    ]

    private static let devices = ["mobile", "desktop", "tablet"]
    private static let countries = ["US", "IN", "GB", "DE", "BR", "FR", "JP", "CA", "MX", "ES"]
    private static let categories = ["electronics", "clothing", "home", "books", "toys", "sports", "beauty", "grocery"]

    /// The same rows every time.
    static func batch(rows: Int) -> RecordBatch {
        var state: UInt64 = 42
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let batch = RecordBatch(schema: BatchSchema(columns))
        for row in 0..<rows {
            let digits = (0..<32).map { _ in String(random(16), radix: 16) }.joined()
            let amount = Double(random(20_000)) / 100
            for (spec, column) in zip(columns, batch.columns) {
                switch (spec.name, column) {
                case ("event_id", .bytes(let vector)): vector.append("\(digits)-4-8")
                case ("user_id", .bytes(let vector)): vector.append("user_\(100_000 + random(100_000))")
                case ("device_type", .bytes(let vector)): vector.append(devices[random(devices.count)])
                case ("country", .bytes(let vector)): vector.append(countries[random(countries.count)])
                case ("category", .bytes(let vector)): vector.append(categories[random(categories.count)])
                case ("quantity", .int64(let vector)): vector.append(Int64(1 + random(10)))
                case ("timestamp", .int64(let vector)): vector.append(1_704_067_200_000 + Int64(row) * 7)
                case (_, .double(let vector)): vector.append(amount)
                default: preconditionFailure("a column without values")
                }
            }
        }
        batch.rowCount = rows
        return batch
    }
}
