import Dispatch
import Glibc
import Synchronization

/// Counts SIGINT and SIGTERM; the second one ends the process at once. Threads: any.
final class SignalWatch: @unchecked Sendable {
    // `@unchecked`: the sources are made in `init` and never touched again; the counter is atomic.
    private let counter = Atomic<Int>(0)
    private var sources: [any DispatchSourceSignal] = []

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
            sources.append(source)
        }
    }

    var count: Int { counter.load(ordering: .relaxed) }
}
