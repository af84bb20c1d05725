import Dispatch
import Glibc
import Synchronization

/// Counts SIGINT and SIGTERM; the second one ends the process at once.
final class SignalWatch: Sendable {
    private let counter = Atomic<Int>(0)
    private let sources = Mutex<[any DispatchSourceSignal]>([])

    /// `onFirst` runs on a thread of its own.
    init(onFirst: @escaping @Sendable () -> Void = {}) {
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [weak self] in
                guard let self else { return }
                if self.counter.add(1, ordering: .relaxed).newValue > 1 { Glibc._exit(128 + number) }
                onFirst()
            }
            source.resume()
            sources.withLock { $0.append(source) }
        }
    }

    var count: Int { counter.load(ordering: .relaxed) }
}
