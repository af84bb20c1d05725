internal import Glibc
public import Logging
internal import Synchronization

/// Where the lines of a log go, and which of them: one descriptor, one threshold, one format for all loggers of a process.
///
/// A line is one `write(2)`, so lines of several threads, and of processes that share a file or pipe (up to the system's
/// `PIPE_BUF`), never mix. Settings may change at any time and hold for loggers that are there already. Threads: any.
public final class LogOutput: Sendable {
    public enum Format: String, Sendable { case text, json }

    private let descriptor: Int32
    private let hasLiveLine: @Sendable () -> Bool
    private let threshold = Atomic<Int>(2)
    private let isJSON = Atomic<Bool>(false)
    private let lock = Mutex<Void>(())

    /// Begins with level `info` and text.
    ///
    /// - Parameter hasLiveLine: Whether the terminal shows a line that is rewritten in place now: it is erased by the same
    ///   write, and whoever drew it draws it again below.
    public init(descriptor: Int32 = 2, hasLiveLine: @escaping @Sendable () -> Bool = { false }) {
        self.descriptor = descriptor
        self.hasLiveLine = hasLiveLine
    }

    public func configure(level: Logger.Level, format: Format) {
        threshold.store(Logger.Level.allCases.firstIndex(of: level) ?? 2, ordering: .relaxed)
        isJSON.store(format == .json, ordering: .relaxed)
    }

    /// The lowest level that is written.
    public var level: Logger.Level { Logger.Level.allCases[threshold.load(ordering: .relaxed)] }

    /// Makes this the output of every `Logger` of the process. Once per process.
    public func bootstrap() {
        LoggingSystem.bootstrap { ModuleLogHandler(module: $0, output: self) }
    }

    func write(_ line: LogLine) {
        let text = isJSON.load(ordering: .relaxed) ? line.json : line.text
        lock.withLock { _ in
            let bytes = Array(((hasLiveLine() ? "\r\u{1B}[K" : "") + text + "\n").utf8)
            bytes.withUnsafeBytes { send($0) }
        }
    }

    /// One write; the rest of what a descriptor took only in part follows under the same lock. Gives up at an error: there
    /// is no better place to say so.
    private func send(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        var sent = 0
        while sent < bytes.count {
            let count = Glibc.write(descriptor, base + sent, bytes.count - sent)
            if count > 0 {
                sent += count
            } else if count < 0, errno == EAGAIN || errno == EWOULDBLOCK {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                if poll(&waiting, 1, 1000) <= 0 { return }
            } else if !(count < 0 && errno == EINTR) {
                return
            }
        }
    }
}
