import Foundation
import Glibc
import Synchronization

/// Takes signals on a thread of its own. None is lost from the moment that ``take(_:_:)`` returns: a source of Dispatch is
/// in force somewhat later, and a signal that comes before would find nobody.
enum SignalThread {
    /// Where the handlers, in which next to nothing is allowed, write the numbers of signals; the thread reads them.
    private static let entrance = Atomic<Int32>(-1)
    private static let receivers = Mutex<[Int32: @Sendable () -> Void]>([:])

    /// From now on calls `receiver` for the signal, on the thread of signals, which must not be held up. A later receiver
    /// replaces it.
    static func take(_ number: Int32, _ receiver: @escaping @Sendable () -> Void) {
        receivers.withLock { receivers in
            if receivers.isEmpty { start() }
            receivers[number] = receiver
        }
        guard entrance.load(ordering: .acquiring) >= 0 else { return }
        signal(number) { number in
            var byte = UInt8(truncatingIfNeeded: number)
            let reason = errno
            _ = write(SignalThread.entrance.load(ordering: .relaxed), &byte, 1)
            errno = reason
        }
    }

    private static func start() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let exit = ends[0]
        entrance.store(ends[1], ordering: .releasing)
        let thread = Thread {
            // Whoever started the process may have blocked signals; here they arrive.
            var all = sigset_t()
            sigfillset(&all)
            pthread_sigmask(SIG_UNBLOCK, &all, nil)
            var byte: UInt8 = 0
            while true {
                let count = read(exit, &byte, 1)
                if count == 1 {
                    receivers.withLock { $0[Int32(byte)] }?()
                } else if count == 0 || errno != EINTR {
                    return
                }
            }
        }
        thread.name = "signals"
        thread.start()
    }
}
