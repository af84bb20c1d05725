internal import Dispatch

/// Does work on one thing in the background, a piece at a time and in order, while its owner prepares the next piece.
///
/// Between a call of ``start(_:)`` and the return of the next one, or of ``finish()``, the thing and what the piece uses belong to the
/// background. Threads: one at a time calls it.
final class WorkBehind<Thing>: @unchecked Sendable {
    private let thing: Thing
    private let queue = DispatchQueue(label: "work behind")
    /// Whoever has it has ``failure``, too.
    private let turn = DispatchSemaphore(value: 0)
    private var failure: (any Error)?

    init(with thing: Thing) {
        self.thing = thing
        turn.signal()
    }

    /// Begins with a piece when the one before is done. Throws what a piece before threw; then this one is not begun.
    func start(_ work: @escaping (Thing) throws -> Void) throws {
        turn.wait()
        if let failure {
            turn.signal()
            throw failure
        }
        let piece = Piece(work: work)
        queue.async { [self] in
            do { try piece.work(thing) } catch { failure = error }
            turn.signal()
        }
    }

    /// Waits until all is done. Throws what a piece threw.
    func finish() throws {
        turn.wait()
        defer { turn.signal() }
        if let failure { throw failure }
    }

    /// What it holds is used by one thread at a time.
    private struct Piece: @unchecked Sendable {
        let work: (Thing) throws -> Void
    }
}
