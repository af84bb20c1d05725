import Foundation

/// A Python script of Fixtures that prints lines of JSON; it needs fastavro.
enum FixtureScript {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    static func run<Line: Decodable>(_ name: String, _ arguments: Int..., lines: Line.Type) throws -> [Line] {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "Fixtures/\(name)")
        let process = Process()
        let (output, errors) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            [ProcessInfo.processInfo.environment["STREAMPLAT_PYTHON"] ?? "python3", "-B", script.path]
            + arguments.map(String.init)
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let lines = output.fileHandleForReading.readDataToEndOfFile()
        let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(description: said) }
        return try lines.split(separator: UInt8(ascii: "\n")).map { try JSONDecoder().decode(Line.self, from: $0) }
    }

    static func bytes(hex: String) -> [UInt8] {
        var digits = hex.utf8.makeIterator()
        var bytes: [UInt8] = []
        func value(_ digit: UInt8) -> UInt8 { digit < 0x3A ? digit - 0x30 : digit - 0x57 }
        while let high = digits.next(), let low = digits.next() { bytes.append(value(high) << 4 | value(low)) }
        return bytes
    }
}
