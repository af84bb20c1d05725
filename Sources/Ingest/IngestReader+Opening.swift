internal import Compression
internal import Diagnostics
internal import RecordConversion

extension IngestReader {
    struct Opened {
        var buffer: InputBuffer
        var format: IngestFormat
        var delimiter: IngestOptions.Delimiter
    }

    /// Unpacks gzip and zlib, passes over a byte order mark and decides on the format.
    static func open(_ source: IngestSource, _ options: IngestOptions) throws(DiagnosticsError) -> Opened {
        do {
            let head = try head(of: source.input)
            var input: any ByteInput = RewoundInput(head: head, rest: source.input)
            if head.withUnsafeBytes({ GzipReader.isCompressed($0) }) {
                input = try GzipReader(input, name: source.name)
            }
            let buffer = InputBuffer(input)
            try buffer.skipByteOrderMark()
            let format = try options.format ?? format(of: source.name) ?? format(of: buffer, name: source.name)
            let name = baseName(source.name)
            let delimiter =
                options.delimiter
                ?? .character(name.hasSuffix(".tsv") ? UInt8(ascii: "\t") : UInt8(ascii: ","))
            return Opened(buffer: buffer, format: format, delimiter: delimiter)
        } catch let error as DiagnosticsError {
            throw error
        } catch {
            throw unreadable(source.name, error)
        }
    }

    static func csv(
        _ buffer: InputBuffer, _ delimiter: IngestOptions.Delimiter, _ plan: ConversionPlan, _ options: IngestOptions,
        file: String
    ) throws(DiagnosticsError) -> CSVSource {
        let source = CSVSource(buffer, delimiter: delimiter, recordByteLimit: options.recordByteLimit)
        let first: [String]?
        do {
            first = try source.readHeader(consuming: options.hasHeader)
        } catch {
            throw unreadable(file, error)
        }
        // An empty file holds no records, and nothing can be wrong with its columns.
        guard let first else {
            source.bind(names: options.columns ?? [], paths: plan.paths)
            return source
        }
        var names = options.columns
        if names == nil { names = options.hasHeader ? first : first.indices.map { String($0 + 1) } }
        guard let names, !first.isEmpty else {
            throw DiagnosticsError(
                Diagnostic(.unknownInputFormat, "the first line of '\(file)' cannot be read: its quotes are broken"))
        }
        try plan.check(fileColumns: names, mappings: options.mappings.map(\.names), file: file)
        source.bind(names: names, paths: plan.paths)
        return source
    }

    static func avro(
        _ buffer: InputBuffer, _ plan: ConversionPlan, _ options: IngestOptions, file: String
    ) throws(DiagnosticsError) -> ContainerSource {
        let source: ContainerSource
        do {
            source = try ContainerSource(buffer, name: file, plan: plan, recordByteLimit: options.recordByteLimit)
        } catch let error as PipelineError {
            throw DiagnosticsError(
                Diagnostic(error.code, "cannot read '\(file)': \(error.message)", hint: error.hint), exitCode: 1)
        } catch {
            throw unreadable(file, error)
        }
        try plan.check(fileColumns: source.fieldNames, mappings: options.mappings.map(\.names), file: file)
        return source
    }

    private static func unreadable(_ name: String, _ error: any Error) -> DiagnosticsError {
        let reason = (error as? InputError)?.reason ?? "\(error)"
        return DiagnosticsError(Diagnostic(.inputNotReadable, "cannot read '\(name)': \(reason)"), exitCode: 1)
    }

    private static func head(of input: any ByteInput) throws -> [UInt8] {
        var head = [UInt8](repeating: 0, count: 4)
        var count = 0
        while count < 4 {
            let read = try head.withUnsafeMutableBytes {
                try input.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[count...]))
            }
            if read == 0 { break }
            count += read
        }
        return Array(head[..<count])
    }

    /// The name in lower case without `.gz`.
    private static func baseName(_ name: String) -> String {
        let lower = name.lowercased()
        return lower.hasSuffix(".gz") ? String(lower.dropLast(3)) : lower
    }

    private static func format(of name: String) -> IngestFormat? {
        let name = baseName(name)
        if [".ndjson", ".jsonl", ".json"].contains(where: name.hasSuffix) { return .ndjson }
        if [".csv", ".tsv", ".txt"].contains(where: name.hasSuffix) { return .csv }
        return name.hasSuffix(".avro") ? .avro : nil
    }

    private static func format(of buffer: InputBuffer, name: String) throws -> IngestFormat {
        while buffer.count < 4, !buffer.isAtEnd { try buffer.fill() }
        if buffer.count >= 4, (0..<4).map({ buffer.start[$0] }) == [0x4F, 0x62, 0x6A, 0x01] { return .avro }
        if buffer.count == 0 || buffer.start[0] == UInt8(ascii: "{") { return .ndjson }
        throw DiagnosticsError(
            Diagnostic(
                .unknownInputFormat, "the format of '\(name)' cannot be told from its name or its first bytes",
                hint: "use --format \(IngestFormat.allCases.map(\.rawValue).joined(separator: "|"))"))
    }
}
