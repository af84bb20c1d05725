import Foundation
import FuzzTargets
import Testing

/// Inputs that fuzzers found, kept in Tests/FuzzCorpus: those that reach different code, and those that once failed.
@Suite("Fuzz corpus")
struct FuzzCorpusTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "FuzzCorpus")
    private static let targets = FuzzTarget.all.map(\.name)

    private static func inputs(_ target: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: folder.appending(path: target), includingPropertiesForKeys: nil
        ).sorted { $0.path < $1.path }
    }

    @Test("every kept input is read or refused in time, and the reader's promises hold", arguments: targets)
    func replay(name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let inputs = try Self.inputs(name)
        #expect(!inputs.isEmpty)
        for input in inputs {
            let bytes = try Data(contentsOf: input)
            let start = ContinuousClock.now
            do {
                try bytes.withUnsafeBytes { try target.run($0) }
            } catch {
                Issue.record("\(name)/\(input.lastPathComponent): \(error)")
            }
            let duration = ContinuousClock.now - start
            #expect(duration < .seconds(30), "\(name)/\(input.lastPathComponent)")
        }
    }

    @Test("the corpus belongs to the targets that there are, and stays small")
    func size() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter { $0 != "README.md" }
        #expect(Set(folders) == Set(Self.targets))
        for name in Self.targets { #expect(try Self.inputs(name).count <= 80, "\(name)") }
    }
}
