internal import Dispatch

/// Does work on one thing in the background, a piece at a time and in order, while its owner prepares the next piece.
///
/// Between a call of ``start(_:)`` and the return of the next one, or of ``finish()``, the thing and what the piece uses belong to the
/// background; then it holds nothing of the piece any more. Threads: one at a time calls it; the pieces run on threads of Dispatch,
/// one at a time.
final class WorkBehind<Thing>: @unchecked Sendable {
    private let thing: Thing
    private let queue = DispatchQueue(label: "work behind")
    /// Only touched by the queue's pieces, or when there is none.
    private var failure: (any Error)?

    init(with thing: Thing) { self.thing = thing }

    /// Begins with a piece when the one before is done. Throws what a piece before threw; then this one is not begun.
    func start(_ work: @escaping (Thing) throws -> Void) throws {
        try finish()
        let piece = Piece(work: work)
        queue.async { [self] in
            do { try piece.work(thing) } catch { failure = error }
        }
    }

    /// Waits until all is done. Throws what a piece threw.
    func finish() throws {
        // A queue lets go of a piece before it begins with the next one.
        queue.sync {}
        if let failure { throw failure }
    }

    /// What it holds is used by one thread at a time.
    private struct Piece: @unchecked Sendable {
        let work: (Thing) throws -> Void
    }
}
