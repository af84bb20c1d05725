import Foundation
import Testing

/// Container files that fastavro wrote, made once for all tests.
///
/// Without Python and fastavro the suites are skipped and say so; with `CI` set they fail.
enum FastavroFiles {
    static let seed = ProcessInfo.processInfo.environment["STREAMPLAT_TEST_SEED"].flatMap(Int.init) ?? 20_261_121

    static let folder: Result<URL, Missing> = {
        let wanted = ProcessInfo.processInfo.environment["STREAMPLAT_PYTHON"] ?? "python3"
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/containers.py")
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("streamplat-containers-\(UUID().uuidString)")
        let process = Process()
        let errors = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [wanted, "-B", script.path, folder.path, String(seed)]
        process.standardError = errors
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try process.run()
        } catch {
            return .failure(Missing(description: "cannot run \(wanted): \(error)"))
        }
        let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            return .failure(Missing(description: "containers.py with \(wanted): \(said)"))
        }
        return .success(folder)
    }()

    struct Missing: Error, CustomStringConvertible {
        var description: String
    }

    static let isRunning: Bool = {
        if case .success = folder { return true }
        return ProcessInfo.processInfo.environment["CI"] != nil
    }()

    static let reason: Comment = {
        if case .failure(let missing) = folder { return Comment(rawValue: "\(missing)") }
        return "fastavro is there"
    }()

    static func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: folder.get().appendingPathComponent(name)))
    }
}

/// Where the blocks of a container file lie.
struct BlockMap {
    /// From the first byte of a block's head to the last of its marker.
    var blocks: [Range<Int>] = []

    init(_ bytes: [UInt8]) {
        let marker = Array(bytes.suffix(16))
        var ends: [Int] = []
        for end in 16...bytes.count where bytes[end - 1] == marker[15] && Array(bytes[end - 16..<end]) == marker {
            ends.append(end)
        }
        blocks = zip(ends, ends.dropFirst()).map { $0..<$1 }
    }
}
