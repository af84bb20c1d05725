internal import Glibc
internal import Synchronization

/// What the terminal behind a file descriptor can show. Threads: any, as long as nobody changes the environment.
public enum Terminal {
    /// Reads an environment variable; nil when it is not set.
    public static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// True when `descriptor` is a terminal, not a file or a pipe.
    public static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// True when a line on `descriptor` can be rewritten: a terminal, and not one that calls itself dumb.
    public static func canRewriteLines(
        _ descriptor: Int32, environment: (String) -> String? = environment
    ) -> Bool {
        isTerminal(descriptor) && isCapable(environment("TERM"))
    }

    /// Columns of the terminal behind standard error or standard output, else `COLUMNS`, else 80. Never below 20.
    public static var width: Int { width(of: STDERR_FILENO) ?? width(of: STDOUT_FILENO) ?? fallbackWidth() }

    /// What a message on standard error begins with so that it does not stand behind a line that is being rewritten there:
    /// that line is taken away, and is drawn again after the message. Empty when there is none. Threads: any.
    public static var messageStart: String {
        LiveLine.isAnyShown ? "\r" + LiveLine.eraseToEnd : ""
    }

    /// Columns of the terminal behind `descriptor`; nil when it is none or does not say.
    public static func width(of descriptor: Int32) -> Int? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return max(Int(size.ws_col), narrowest)
    }

    /// True when colour may be written to `descriptor`.
    ///
    /// No colour: `--no-color` (`isSwitchedOff`), a non-empty `NO_COLOR` (no-color.org), no terminal, or a `TERM` that
    /// is unset, empty or `dumb`.
    public static func usesColour(
        _ descriptor: Int32, isSwitchedOff: Bool, environment: (String) -> String? = environment
    ) -> Bool {
        isTerminal(descriptor) && permitsColour(isSwitchedOff: isSwitchedOff, environment: environment)
    }

    /// The part of `usesColour` that does not ask the descriptor.
    static func permitsColour(isSwitchedOff: Bool, environment: (String) -> String?) -> Bool {
        !isSwitchedOff && (environment("NO_COLOR") ?? "").isEmpty && isCapable(environment("TERM"))
    }

    /// True when the locale's character set is UTF-8, so that block characters arrive as they are.
    public static var usesUnicode: Bool { usesUnicode(environment: environment) }

    /// The first of `LC_ALL`, `LC_CTYPE` and `LANG` that is set and not empty decides, as in POSIX.
    static func usesUnicode(environment: (String) -> String?) -> Bool {
        for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
            guard let locale = environment(name), !locale.isEmpty else { continue }
            let upper = locale.uppercased()
            return upper.contains("UTF-8") || upper.contains("UTF8")
        }
        return false
    }

    /// True while a line that is rewritten in place stands on the terminal: what is printed then erases it first, and it is
    /// drawn again below.
    public static var showsLiveLine: Bool { LiveLine.isAnyShown }

    private static let narrowest = 20

    private static func fallbackWidth() -> Int { max(environment("COLUMNS").flatMap { Int($0) } ?? 80, narrowest) }

    private static func isCapable(_ term: String?) -> Bool {
        guard let term else { return false }
        return !term.isEmpty && term != "dumb"
    }
}
