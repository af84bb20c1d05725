import Diagnostics
import Foundation
import Glibc
import Logging
import Testing

@testable import Telemetry

@Suite("Log lines")
struct LogLineTests {
    private func line(_ message: String, _ metadata: Logger.Metadata = [:], level: Logger.Level = .info) -> LogLine {
        LogLine(
            milliseconds: 1_795_268_730_120, level: level, module: "runtime", message: message, metadata: metadata)
    }

    @Test("text has time, level, module, message and sorted metadata")
    func text() {
        let metadata: Logger.Metadata = [
            "sequence": "4", "bytes": "\(18221)", "note": "two words", "empty": "", "tricky": "a=\"b\"",
        ]
        #expect(
            line("checkpoint written", metadata, level: .warning).text
                == #"2026-11-21 13:45:30 | WARNING | runtime | checkpoint written bytes=18221 empty="" note="two words" sequence=4 tricky="a=\"b\"""#
        )
    }

    @Test("a JSON line is one object with nested metadata")
    func json() throws {
        let text = line("say \"hi\"", ["tables": ["a", "b"], "sink": ["name": "primary"]]).json
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(object["time"] as? String == "2026-11-21T13:45:30.120Z")
        #expect(object["level"] as? String == "info")
        #expect(object["module"] as? String == "runtime")
        #expect(object["message"] as? String == "say \"hi\"")
        let metadata = try #require(object["metadata"] as? [String: Any])
        #expect(metadata["tables"] as? [String] == ["a", "b"])
        #expect(metadata["sink"] as? [String: String] == ["name": "primary"])
    }

    @Test(
        "no message breaks its line or reaches the terminal as a command",
        arguments: ["two\nlines", "\r\u{1B}[2Jcleared", "line\u{2028}separator", "tab\tand \u{7F}"])
    func oneLine(message: String) {
        for text in [line(message, ["k": "\(message)"]).text, line(message, ["k": "\(message)"]).json] {
            #expect(
                !text.unicodeScalars.contains {
                    $0.value < 0x20 || (0x7F...0x9F).contains($0.value) || $0.value == 0x2028
                })
        }
    }

    @Test("times before 1970 and the last millisecond of a year are right")
    func times() {
        func time(_ milliseconds: Int64) -> String {
            String(
                LogLine(milliseconds: milliseconds, level: .info, module: "m", message: "", metadata: [:]).json
                    .dropFirst(9)
                    .prefix(24))
        }
        #expect(time(-1) == "1969-12-31T23:59:59.999Z")
        #expect(time(1_798_761_599_999) == "2026-12-31T23:59:59.999Z")
    }
}

@Suite("Log output")
struct LogOutputTests {
    /// The two ends of a pipe.
    private func makePipe() throws -> (read: FileHandle, write: Int32) {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        return (FileHandle(fileDescriptor: ends[0], closeOnDealloc: true), ends[1])
    }

    private func logger(_ output: LogOutput, _ module: String = "runtime") -> Logger {
        Logger(label: module) { ModuleLogHandler(module: $0, output: output) }
    }

    @Test("the level holds for loggers that are there already, unless they have one of their own")
    func levels() throws {
        let pipe = try makePipe()
        let output = LogOutput(descriptor: pipe.write)
        let early = logger(output)
        var chatty = logger(output, "chatty")
        chatty.logLevel = .trace
        early.debug("not yet")
        output.configure(level: .debug, format: .text)
        early.debug("now")
        output.configure(level: .error, format: .text)
        early.warning("no more")
        chatty.trace("always")
        close(pipe.write)
        let lines = String(decoding: pipe.read.readDataToEndOfFile(), as: UTF8.self).split(separator: "\n")
        #expect(lines.map { $0.dropFirst(22) } == ["DEBUG | runtime | now", "TRACE | chatty | always"])
    }

    @Test("metadata of the logger and of the call are one, and an error is among it")
    func metadata() throws {
        let pipe = try makePipe()
        var logger = logger(LogOutput(descriptor: pipe.write))
        logger[metadataKey: "domain"] = "shop"
        logger.info("read", metadata: ["rows": "3"])
        logger.error("failed", error: PipelineError(.sinkFailed, "no room"))
        close(pipe.write)
        let lines = String(decoding: pipe.read.readDataToEndOfFile(), as: UTF8.self).split(separator: "\n")
        #expect(lines[0].hasSuffix("| read domain=shop rows=3"))
        #expect(lines[1].hasSuffix("| failed domain=shop error=\"[SP6109] no room\""))
    }

    @Test("lines of many threads never tear, also when the pipe is full and does not block")
    func tearing() async throws {
        let pipe = try makePipe()
        _ = fcntl(pipe.write, F_SETFL, O_NONBLOCK)
        let output = LogOutput(descriptor: pipe.write)
        output.configure(level: .info, format: .json)
        let reader = Task.detached { pipe.read.readDataToEndOfFile() }
        await withTaskGroup { group in
            for thread in 0..<4 {
                group.addTask {
                    let logger = Logger(label: "m\(thread)") { ModuleLogHandler(module: $0, output: output) }
                    for number in 0..<100 {
                        logger.info(
                            "line", metadata: ["n": "\(number)", "pad": "\(String(repeating: "x", count: 900))"])
                    }
                }
            }
        }
        close(pipe.write)
        let lines = String(decoding: await reader.value, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 400)
        #expect(lines.allSatisfy { $0.hasPrefix("{\"time\":") && $0.hasSuffix("\"}}") && $0.utf8.count < 1100 })
    }

    @Test("a line erases the live line of a terminal, and only then")
    func liveLine() throws {
        for isShown in [true, false] {
            let pipe = try makePipe()
            logger(LogOutput(descriptor: pipe.write, hasLiveLine: { isShown })).info("x")
            close(pipe.write)
            let text = String(decoding: pipe.read.readDataToEndOfFile(), as: UTF8.self)
            #expect(text.hasPrefix("\r\u{1B}[K2") == isShown && text.hasSuffix(" | INFO | runtime | x\n"))
        }
    }
}
