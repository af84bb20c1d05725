import Foundation
import Testing

@testable import TerminalViews

@Suite("Progress and status lines")
struct LiveLineTests {
    let start = ContinuousClock.now

    @Test("the progress line shows bar, share, rate and estimate")
    func progress() {
        let line = ProgressLine(
            doing: "generating", done: "generated", total: 1_000_000, start: start, descriptor: -1, isLive: false,
            unicode: true)
        #expect(
            line.text(420_000, elapsed: .milliseconds(1400), width: 100)
                == "generating ▕████████▍           ▏ 42% 420,000/1,000,000 300k events/s ETA 2 s")
        #expect(
            line.text(420_000, elapsed: .milliseconds(1400), width: 40)
                == "generating 42% 420,000/1,000,000 300k events/s ETA 2 s")
        #expect(line.text(999_999, elapsed: .seconds(1), width: 40).contains(" 99%"))
        #expect(
            line.summary(1_000_000, elapsed: .milliseconds(2400), detail: "3 bad")
                == "generated 1,000,000 events in 2.4 s (417k events/s), 3 bad")
    }

    @Test("without a total there is neither bar nor estimate")
    func unknownTotal() {
        let line = ProgressLine(
            doing: "reading", done: "read", unit: "records", total: nil, start: start, descriptor: -1, isLive: false)
        #expect(line.text(5000, elapsed: .seconds(1), width: 80) == "reading 5,000 records 5k records/s")
    }

    @Test("off a terminal there is one plain line at the end, with --quiet none", arguments: [false, true])
    func plain(isQuiet: Bool) throws {
        let pipe = Pipe()
        let line = ProgressLine(
            doing: "generating", done: "generated", total: 10, start: start,
            descriptor: pipe.fileHandleForWriting.fileDescriptor, isQuiet: isQuiet)
        line.update(5, at: start + .seconds(1))
        line.finish(10, at: start + .seconds(2))
        try pipe.fileHandleForWriting.close()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(text == (isQuiet ? "" : "generated 10 events in 2.0 s (5 events/s)\n"))
    }

    @Test("on a terminal the line is rewritten at most ten times a second and erased before the last line")
    func live() throws {
        let pipe = Pipe()
        let line = ProgressLine(
            doing: "generating", done: "generated", total: nil, start: start,
            descriptor: pipe.fileHandleForWriting.fileDescriptor, isLive: true, unicode: false)
        line.update(1000, at: start + .seconds(1))
        line.update(1050, at: start + .milliseconds(1050))
        line.update(1100, at: start + .milliseconds(1100))
        line.finish(2000, at: start + .seconds(2))
        try pipe.fileHandleForWriting.close()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(
            text == "\rgenerating 1,000 events 1k events/s\u{1B}[K\rgenerating 1,100 events 1k events/s\u{1B}[K"
                + "\r\u{1B}[Kgenerated 2,000 events in 2.0 s (1k events/s)\n")
    }

    @Test("the status line says rate, lag, rows, dead letters, late events and watermark")
    func status() {
        let line = StatusLine(start: start, descriptor: -1, isLive: false, unicode: true)
        let snapshot = StatusSnapshot(
            eventsRead: 1_234_567, lag: 12_345, watermarkMilliseconds: 1_700_000_000_000, rowsWritten: 1,
            deadLetters: 2, lateEvents: 3)
        #expect(
            line.text(snapshot, rate: 830_000)
                == "830k events/s · 1,234,567 read · lag 12,345 · 1 row · 2 dead letters · 3 late · "
                + "watermark 2023-11-14 22:13:20 UTC")
        #expect(
            line.summary(StatusSnapshot(eventsRead: 1000), elapsed: .seconds(2))
                == "read 1,000 events in 2.0 s (500 events/s): 0 rows written, 0 dead letters, 0 late, "
                + "watermark none yet")
    }

    @Test("the rate forgets what is older than two seconds")
    func recentRate() {
        let line = StatusLine(start: start, descriptor: -1, isLive: false)
        #expect(line.recentRate(1000, at: start + .seconds(1)) == 1000)
        #expect(line.recentRate(1000, at: start + .seconds(3)) == 0)
        #expect(line.recentRate(1000, at: start + .seconds(5)) == 0)
    }

    @Test("NO_COLOR, --no-color and a dumb or missing TERM switch colour off")
    func colour() {
        #expect(Terminal.permitsColour(isSwitchedOff: false) { ["TERM": "xterm", "NO_COLOR": ""][$0] })
        #expect(!Terminal.permitsColour(isSwitchedOff: true) { ["TERM": "xterm"][$0] })
        #expect(!Terminal.permitsColour(isSwitchedOff: false) { ["TERM": "xterm", "NO_COLOR": "1"][$0] })
        #expect(!Terminal.permitsColour(isSwitchedOff: false) { ["TERM": "dumb"][$0] })
        #expect(!Terminal.permitsColour(isSwitchedOff: false) { _ in nil })
    }

    @Test("the first locale variable that is set decides about UTF-8")
    func locale() {
        #expect(Terminal.usesUnicode { ["LANG": "C.utf8"][$0] })
        #expect(!Terminal.usesUnicode { ["LC_ALL": "C", "LANG": "de_DE.UTF-8"][$0] })
        #expect(!Terminal.usesUnicode { _ in nil })
    }
}
