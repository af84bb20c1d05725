public import DataPath

/// The record form of a dead letter.
extension DeadLetter {
    /// The beginning of every header that is ours.
    public static let headerPrefix = "dlq."

    enum Name {
        static let version = "dlq.version"
        static let stage = "dlq.stage"
        static let code = "dlq.code"
        static let message = "dlq.message"
        static let field = "dlq.field"
        static let time = "dlq.time"
        static let topic = "dlq.topic"
        static let partition = "dlq.partition"
        static let offset = "dlq.offset"
        static let file = "dlq.file"
        static let line = "dlq.line"
        static let column = "dlq.column"
        static let configPlace = "dlq.config"
        static let retryCount = "dlq.retries"
        static let truncated = "dlq.truncated"
        static let table = "dlq.table"
        static let timestamp = "dlq.timestamp"
        static let aggregation = "dlq.aggregation"
        static let stream = "dlq.stream"
        static let step = "dlq.step"
    }

    /// Appends the record that stands for this dead letter; its timestamp is ``timeMilliseconds``.
    ///
    /// Own headers of the original that begin with `dlq.` are left out: a letter that failed again says why it failed last.
    public func encode(into block: RecordBlock) {
        var all = headers.filter { !$0.name.hasPrefix(Self.headerPrefix) }.map { (name: $0.name, value: $0.value) }
        func put(_ name: String, _ text: String) { all.append((name, Array(text.utf8))) }
        put(Name.version, "1")
        put(Name.stage, stage.rawValue)
        put(Name.code, code)
        put(Name.message, message)
        if let field { put(Name.field, field) }
        put(Name.time, TextFormat.timestamp(timeMilliseconds))
        switch origin {
        case .topic(let partition, let offset):
            put(Name.topic, partition.topic)
            put(Name.partition, String(partition.partition))
            put(Name.offset, String(offset))
        case .file(let file, let line, let column):
            put(Name.file, file)
            put(Name.line, String(line))
            put(Name.column, String(column))
        case .table(let table): put(Name.table, table)
        }
        if let aggregation { put(Name.aggregation, aggregation) }
        if let step {
            put(Name.stream, step.stream)
            put(Name.step, String(step.number))
        }
        if let recordTimestamp { put(Name.timestamp, String(recordTimestamp)) }
        if let configPlace { put(Name.configPlace, configPlace) }
        put(Name.retryCount, String(retryCount))
        if isTruncated { put(Name.truncated, "true") }
        (key ?? []).withUnsafeBytes { keyBytes in
            (value ?? []).withUnsafeBytes { valueBytes in
                block.append(
                    key: key == nil ? nil : keyBytes, value: value == nil ? nil : valueBytes,
                    timestamp: timeMilliseconds, headers: all)
            }
        }
    }

    /// Reads a dead letter back; nil when the record's headers are not those of one.
    public static func decode(_ entry: RecordBlock.Entry, in block: RecordBlock) -> DeadLetter? {
        var own: [String: String] = [:]
        var headers: [Header] = []
        for header in block.headers(entry) {
            if header.name.hasPrefix(headerPrefix) {
                own[header.name] = String(decoding: header.value, as: UTF8.self)
            } else {
                headers.append(Header(header.name, header.value))
            }
        }
        guard own[Name.version] == "1", let stage = own[Name.stage].flatMap(Stage.init), let code = own[Name.code],
            let message = own[Name.message], let origin = origin(own)
        else { return nil }
        return DeadLetter(
            key: block.key(entry).map { Array($0) }, value: block.value(entry).map { Array($0) }, headers: headers,
            origin: origin, stage: stage, code: code, message: message, field: own[Name.field],
            timeMilliseconds: entry.timestamp, configPlace: own[Name.configPlace],
            retryCount: own[Name.retryCount].flatMap { Int($0) } ?? 0, isTruncated: own[Name.truncated] == "true",
            recordTimestamp: own[Name.timestamp].flatMap { Int64($0) }, aggregation: own[Name.aggregation],
            step: step(own))
    }

    private static func step(_ own: [String: String]) -> StreamStep? {
        guard let stream = own[Name.stream], let number = own[Name.step].flatMap({ Int($0) }) else { return nil }
        return StreamStep(stream: stream, number: number)
    }

    private static func origin(_ own: [String: String]) -> Origin? {
        if let topic = own[Name.topic], let partition = own[Name.partition].flatMap({ Int($0) }),
            let offset = own[Name.offset].flatMap({ Int64($0) })
        {
            return .topic(TopicPartition(topic: topic, partition: partition), offset: offset)
        }
        if let file = own[Name.file], let line = own[Name.line].flatMap({ Int($0) }),
            let column = own[Name.column].flatMap({ Int($0) })
        {
            return .file(file, line: line, column: column)
        }
        return own[Name.table].map(Origin.table)
    }
}
