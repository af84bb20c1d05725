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
