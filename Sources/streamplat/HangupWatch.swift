import Dispatch
import Foundation
import Glibc
import Synchronization

/// Tells what a SIGHUP means: someone asks for a reload, or the terminal that the process was started from has gone.
///
/// A terminal that goes sends the same signal as `kill -HUP`. It is the terminal if the process had one until a moment ago
/// and has none now, and was not started to outlive it (`nohup`). Threads: any.
final class HangupWatch: @unchecked Sendable {
    // `@unchecked`: the sources are made in `init` and never touched again; the time is atomic.
    private var sources: [any DispatchSourceProtocol] = []
    /// When the terminal was last there, in nanoseconds of the monotonic clock; 0 = never.
    private let terminalSeen = Atomic<UInt64>(0)
    /// A shell that is told of the hang-up first passes it on within this time.
    private static let nanosecondsToPassOn: UInt64 = 5_000_000_000

    /// The handlers run on threads of their own.
    init(onReload: @escaping @Sendable () -> Void, onTerminalGone: @escaping @Sendable () -> Void) {
        let before = signal(SIGHUP, SIG_IGN)
        let outlivesTerminal = unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
        if !outlivesTerminal { look() }
        SignalThread.take(SIGHUP) { [weak self] in
            guard let self else { return }
            Thread.detachNewThread(self.isTerminalGone ? onTerminalGone : onReload)
        }
        guard terminalSeen.load(ordering: .relaxed) > 0 else { return }
        let timer = DispatchSource.makeTimerSource(queue: .global())
        timer.schedule(deadline: .now() + 1, repeating: 1, leeway: .milliseconds(200))
        timer.setEventHandler { [weak self] in self?.look() }
        timer.resume()
        sources.append(timer)
    }

    private var isTerminalGone: Bool {
        let seen = terminalSeen.load(ordering: .relaxed)
        guard seen > 0, !Self.hasTerminal else { return false }
        return DispatchTime.now().uptimeNanoseconds - seen < Self.nanosecondsToPassOn
    }

    private func look() {
        if Self.hasTerminal { terminalSeen.store(DispatchTime.now().uptimeNanoseconds, ordering: .relaxed) }
    }

    /// Whether the process has a controlling terminal.
    private static var hasTerminal: Bool {
        let descriptor = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }
}
