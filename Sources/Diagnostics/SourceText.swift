/// The lines of one text that a person wrote, for excerpts.
public struct SourceText: Sendable {
    private let lines: [String]

    /// Splits at `\n`, `\r\n` and `\r`, as YAML does. Bytes that are no UTF-8 show as U+FFFD.
    public init(bytes: some Collection<UInt8>) {
        var lines: [String] = []
        var line: [UInt8] = []
        var previous: UInt8 = 0
        for byte in bytes {
            if byte == UInt8(ascii: "\n"), previous == UInt8(ascii: "\r") {
                previous = byte
                continue
            }
            previous = byte
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                lines.append(String(decoding: line, as: UTF8.self))
                line.removeAll(keepingCapacity: true)
            } else {
                line.append(byte)
            }
        }
        lines.append(String(decoding: line, as: UTF8.self))
        if let first = lines.first, first.unicodeScalars.first == "\u{FEFF}" {
            lines[0] = String(first.unicodeScalars.dropFirst())
        }
        self.lines = lines
    }

    /// A text whose lines are already known, such as the arguments of `--set`.
    public init(lines: [String]) { self.lines = lines }

    /// The line of a 1-based number, without its break; nil when there is none.
    public func line(_ number: Int) -> String? {
        lines.indices.contains(number - 1) ? lines[number - 1] : nil
    }
}

/// What the renderer quotes from: file name as in ``SourceLocation/file`` → text. A file that holds secrets is never
/// put in here.
public struct SourceTexts: Sendable {
    private var texts: [String: SourceText] = [:]

    public init() {}

    public subscript(file: String) -> SourceText? {
        get { texts[file] }
        set { texts[file] = newValue }
    }

    public func line(at location: SourceLocation) -> String? { texts[location.file]?.line(location.line) }
}
