internal import Glibc
internal import Synchronization

/// One line of a terminal that is written again and again; lines below it appear only through `printLine`.
///
/// Threads: one. On anything but a terminal `show` does nothing.
final class LiveLine {
    /// True when the line can be rewritten.
    let isLive: Bool
    private let descriptor: Int32
    private let drawInterval: Duration
    private var lastDrawn: ContinuousClock.Instant?
    private var isShown = false {
        didSet {
            if isShown != oldValue { LiveLine.shownLines.add(isShown ? 1 : -1, ordering: .relaxed) }
        }
    }
    private static let shownLines = Atomic<Int>(0)

    /// Whether any live line stands on a terminal now. Threads: any.
    static var isAnyShown: Bool { shownLines.load(ordering: .relaxed) > 0 }

    init(descriptor: Int32, isLive: Bool, drawInterval: Duration = .milliseconds(100)) {
        self.descriptor = descriptor
        self.isLive = isLive
        self.drawInterval = drawInterval
    }

    /// Columns that a text may take; the last one stays free because some terminals wrap when it is filled.
    var width: Int { (Terminal.width(of: descriptor) ?? 80) - 1 }

    /// True when it is time to draw again, and then counts as drawn.
    func isDue(at now: ContinuousClock.Instant) -> Bool {
        guard isLive else { return false }
        if let lastDrawn, now - lastDrawn < drawInterval { return false }
        lastDrawn = now
        return true
    }

    /// Replaces what the line shows.
    func show(_ text: String, ellipsis: Character) {
        guard isLive else { return }
        // Before it is written, so that nothing else is written behind it on the same line.
        isShown = true
        write("\r" + DisplayText.shortened(text, to: width, ellipsis: ellipsis) + LiveLine.eraseToEnd)
    }

    /// Takes the line away, so that something else can be printed in its place.
    func erase() {
        guard isShown else { return }
        write("\r" + LiveLine.eraseToEnd)
        isShown = false
        lastDrawn = nil
    }

    /// Takes the live line away and prints a lasting one.
    func printLine(_ text: String) {
        erase()
        write(text + "\n")
    }

    static let eraseToEnd = "\u{1B}[K"

    /// Gives up at the first error other than an interruption: the work goes on without its display, and there is no
    /// better place than this descriptor to say so.
    private func write(_ text: String) {
        let bytes = Array(text.utf8)
        var position = 0
        while position < bytes.count {
            let written = bytes[position...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 {
                position += written
            } else if !(written < 0 && errno == EINTR) {
                return
            }
        }
    }
}
