internal import CLibYAML

/// A 1-based place; columns count Unicode scalars, as libyaml's marks do.
struct YAMLMark: Hashable {
    var line: Int
    var column: Int

    init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    fileprivate init(_ mark: yaml_mark_t) {
        line = Int(clamping: mark.line) + 1
        column = Int(clamping: mark.column) + 1
    }
}

/// One step of a YAML text, copied out of libyaml.
struct YAMLEvent {
    enum Style {
        case plain, singleQuoted, doubleQuoted, block
    }

    enum Kind {
        case streamStart, streamEnd, documentStart, documentEnd
        case alias(String)
        case scalar(text: String, style: Style)
        case sequenceStart
        case sequenceEnd
        case mappingStart
        case mappingEnd
    }

    var kind: Kind
    var start: YAMLMark
    var end: YAMLMark
    var anchor: String?
    var tag: String?
    var isFlow = false
}

/// What libyaml says about a text that it cannot read.
struct YAMLFailure: Error {
    var problem: String
    var mark: YAMLMark
    var context: String?
    var contextMark: YAMLMark
}

/// libyaml's parser and the text that it reads. One thread at a time.
final class EventParser {
    // libyaml keeps pointers to the parser itself and to its input, so both live in memory of their own.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>

    /// Nil when libyaml finds no memory for a parser.
    init?(_ bytes: [UInt8]) {
        input = .allocate(capacity: max(1, bytes.count))
        _ = input.initialize(from: bytes)
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        // Every property is set, so `deinit` runs; a failed initialisation leaves a parser that it may delete.
        guard yaml_parser_initialize(parser) == 1 else { return nil }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        input.deallocate()
    }

    func next() throws(YAMLFailure) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw failure() }
        defer { yaml_event_delete(&event) }
        let start = YAMLMark(event.start_mark)
        let end = YAMLMark(event.end_mark)
        func make(_ kind: YAMLEvent.Kind) -> YAMLEvent { YAMLEvent(kind: kind, start: start, end: end) }
        switch event.type {
        case YAML_STREAM_START_EVENT: return make(.streamStart)
        case YAML_DOCUMENT_START_EVENT: return make(.documentStart)
        case YAML_DOCUMENT_END_EVENT: return make(.documentEnd)
        case YAML_ALIAS_EVENT: return make(.alias(Self.text(event.data.alias.anchor) ?? ""))
        case YAML_SCALAR_EVENT:
            let data = event.data.scalar
            let bytes = UnsafeBufferPointer(start: data.value, count: data.value == nil ? 0 : data.length)
            let style: YAMLEvent.Style =
                switch data.style {
                case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
                case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
                case YAML_LITERAL_SCALAR_STYLE, YAML_FOLDED_SCALAR_STYLE: .block
                default: .plain
                }
            var result = make(.scalar(text: String(decoding: bytes, as: UTF8.self), style: style))
            result.anchor = Self.text(data.anchor)
            result.tag = Self.text(data.tag)
            return result
        case YAML_SEQUENCE_START_EVENT:
            var result = make(.sequenceStart)
            result.anchor = Self.text(event.data.sequence_start.anchor)
            result.tag = Self.text(event.data.sequence_start.tag)
            result.isFlow = event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
            return result
        case YAML_SEQUENCE_END_EVENT: return make(.sequenceEnd)
        case YAML_MAPPING_START_EVENT:
            var result = make(.mappingStart)
            result.anchor = Self.text(event.data.mapping_start.anchor)
            result.tag = Self.text(event.data.mapping_start.tag)
            result.isFlow = event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
            return result
        case YAML_MAPPING_END_EVENT: return make(.mappingEnd)
        default: return make(.streamEnd)  // libyaml gives no event after the end of the stream.
        }
    }

    private func failure() -> YAMLFailure {
        let state = parser.pointee
        let isMemory = state.error == YAML_MEMORY_ERROR
        return YAMLFailure(
            problem: state.problem.map { String(cString: $0) } ?? (isMemory ? "out of memory" : "unreadable text"),
            mark: YAMLMark(state.problem_mark), context: state.context.map { String(cString: $0) },
            contextMark: YAMLMark(state.context_mark))
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(cString: $0) }
    }
}
