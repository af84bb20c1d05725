import Foundation
import Glibc
import Synchronization

/// Counts SIGINT and SIGTERM; the second one ends the process at once. Threads: any.
final class SignalWatch: Sendable {
    private let counter = Atomic<Int>(0)

    /// `onFirst` runs on a thread of its own.
    init(onFirst: @escaping @Sendable () -> Void = {}) {
        for number in [SIGINT, SIGTERM] {
            SignalThread.take(number) { [weak self] in
                guard let self else { return }
                if self.counter.add(1, ordering: .relaxed).newValue > 1 { Glibc._exit(128 + number) }
                Thread.detachNewThread(onFirst)
            }
        }
    }

    var count: Int { counter.load(ordering: .relaxed) }
}
