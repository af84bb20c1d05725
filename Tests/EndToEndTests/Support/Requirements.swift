import Foundation
import Testing

/// What these tests need beside the package: the built binary, and Python with a few modules.
///
/// Where something is missing, the tests are skipped and say what; with `CI=true` they fail instead.
enum Requirements {
    struct Missing: Error, CustomStringConvertible {
        var description: String
    }

    static let packageRoot = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let scripts = packageRoot.appendingPathComponent("Tests/EndToEndTests/Scripts")

    private static let environment = ProcessInfo.processInfo.environment

    /// `STREAMPLAT_BIN`, else the program beside the test bundle.
    static let binary =
        environment["STREAMPLAT_BIN"]
        ?? URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("streamplat").path

    /// `STREAMPLAT_PYTHON`, else `python3` of the search path.
    static let python: String? = {
        let wanted = environment["STREAMPLAT_PYTHON"] ?? "python3"
        let candidates =
            wanted.contains("/")
            ? [wanted] : (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(wanted)" }
        return candidates.first(where: FileManager.default.isExecutableFile)
    }()

    /// Events of the large judge: a million, as the binary was built for speed; an unoptimised one gets fewer.
    static let events: Int =
        environment["STREAMPLAT_TEST_EVENTS"].flatMap(Int.init)
        ?? (binary.contains("/debug/") ? 20_000 : 1_000_000)

    /// What is missing, or nil.
    static let problem: String? = {
        guard FileManager.default.isExecutableFile(atPath: binary) else {
            return "no program at \(binary): build it, or set STREAMPLAT_BIN"
        }
        guard let python else { return "no python3: install it, or set STREAMPLAT_PYTHON" }
        let check = Process()
        let errors = Pipe()
        check.executableURL = URL(fileURLWithPath: python)
        check.arguments = [scripts.appendingPathComponent("judge.py").path, "modules"]
        check.standardError = errors
        do { try check.run() } catch { return "cannot start \(python): \(error)" }
        let said = errors.fileHandleForReading.readDataToEndOfFile()
        check.waitUntilExit()
        return check.terminationStatus == 0
            ? nil
            : "\(String(decoding: said, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)) (\(python))"
    }()

    static let isCI = environment["CI"] != nil
    /// Whether the suites run at all: with CI=true also without what they need, so that they fail.
    static let isRunning = problem == nil || isCI
    static let reason = Comment(rawValue: problem ?? "everything needed is there")

    static func check() throws {
        if let problem { throw Missing(description: problem) }
    }
}

/// The whole target, one test at a time: the children use all cores, and some measure nothing but need them.
@Suite("End to end", .serialized, .enabled(if: Requirements.isRunning, Requirements.reason))
enum EndToEnd {}
