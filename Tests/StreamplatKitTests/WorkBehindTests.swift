import Dispatch
import Synchronization
import Testing

@testable import StreamplatKit

@Suite("Work in the background")
struct WorkBehindTests {
    private struct Refused: Error {}

    @Test("is done in order, and all of it before the end")
    func order() throws {
        let done = Mutex<[Int]>([])
        let behind = WorkBehind(with: 10)
        for number in 0..<100 { try behind.start { base in done.withLock { $0.append(base + number) } } }
        try behind.finish()
        #expect(done.withLock { $0 } == Array(10..<110))
    }

    @Test("goes on beside its owner, who waits before the next piece")
    func beside() throws {
        let gate = DispatchSemaphore(value: 0)
        let done = Atomic(0)
        let behind = WorkBehind(with: ())
        try behind.start {
            gate.wait()
            done.add(1, ordering: .releasing)
        }
        #expect(done.load(ordering: .acquiring) == 0)
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(50)) { gate.signal() }
        try behind.start {}
        #expect(done.load(ordering: .acquiring) == 1)
        try behind.finish()
    }

    @Test("is let go of by its owner, not later in the background", arguments: [true, false])
    func lifetime(fails: Bool) throws {
        final class Thing: Sendable {}
        for _ in 0..<100 {
            weak var kept: Thing?
            func work() throws {
                let thing = Thing()
                kept = thing
                let behind = WorkBehind(with: thing)
                try behind.start { _ in if fails { throw Refused() } }
                try behind.finish()
            }
            if fails { #expect(throws: Refused.self) { try work() } } else { try work() }
            #expect(kept == nil)
        }
    }

    @Test("that fails is told at the next call, and nothing is begun after it")
    func failure() throws {
        let later = Atomic(0)
        let behind = WorkBehind(with: ())
        try behind.start { throw Refused() }
        for _ in 0..<2 {
            #expect(throws: Refused.self) { try behind.start { later.add(1, ordering: .relaxed) } }
        }
        #expect(throws: Refused.self) { try behind.finish() }
        #expect(later.load(ordering: .relaxed) == 0)
    }
}
