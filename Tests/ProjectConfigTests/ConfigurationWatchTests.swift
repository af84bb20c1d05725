import Foundation
import ProjectConfig
import Testing

/// What counts as a change of a configuration's files.
@Suite("Watching a configuration")
struct ConfigurationWatchTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("streamplat-watch-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    private func write(_ text: String, _ name: String) throws {
        try text.write(toFile: path(name), atomically: false, encoding: .utf8)
    }

    private func look(_ name: String = "a.yaml") -> ConfigurationSnapshot { ConfigurationSnapshot(of: [path(name)]) }

    /// A watch that knows the present content.
    private func watch() -> ConfigurationWatch {
        var watch = ConfigurationWatch()
        watch.know(look())
        return watch
    }

    @Test("A change is told once, and only when two looks in a row find the same")
    func rest() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try write("a: 1", "a.yaml")
        var watch = watch()
        var news: [Bool] = []
        for text in ["a: 1", "", "a: ", "a: 2", "a: 2", "a: 2", "a: 2"] {
            try write(text, "a.yaml")
            news.append(watch.observe(look()))
        }
        #expect(news == [false, false, false, false, true, false, false])
    }

    @Test("A file that is touched, or replaced by an equal one, is no news; one that goes is")
    func content() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try write("a: 1", "a.yaml")
        var watch = watch()
        try write("a: 1", "b.yaml")
        #expect(rename(path("b.yaml"), path("a.yaml")) == 0)
        #expect(!watch.observe(look()) && !watch.observe(look()))
        try FileManager.default.removeItem(atPath: path("a.yaml"))
        #expect(!watch.observe(look()) && watch.observe(look()))
    }

    @Test("A change of the same length at the same time of change is seen: content decides")
    func sameTime() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try write("a: 1", "a.yaml")
        let time = Date(timeIntervalSince1970: 1_000_000)
        try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: path("a.yaml"))
        var watch = watch()
        try write("a: 2", "a.yaml")
        try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: path("a.yaml"))
        #expect(!watch.observe(look()) && watch.observe(look()))
    }

    @Test("Links that are swapped, as Kubernetes does with the files of a ConfigMap, are seen")
    func swappedLink() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        for version in ["1", "2"] {
            try FileManager.default.createDirectory(
                at: folder.appendingPathComponent("..v\(version)"), withIntermediateDirectories: true)
            try write("a: \(version)", "..v\(version)/a.yaml")
        }
        #expect(symlink("..v1", path("..data")) == 0)
        #expect(symlink("..data/a.yaml", path("a.yaml")) == 0)
        var watch = watch()
        #expect(symlink("..v2", path("..data_tmp")) == 0)
        #expect(rename(path("..data_tmp"), path("..data")) == 0)
        #expect(!watch.observe(look()) && watch.observe(look()))
    }

    @Test("A watch that knows nothing tells the first content that is at rest; what is known is not told")
    func beginning() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try write("a: 1", "a.yaml")
        var watch = ConfigurationWatch()
        #expect(!watch.observe(look()) && watch.observe(look()))
        try write("a: 2", "a.yaml")
        watch.know(look())
        #expect(!watch.observe(look()) && !watch.observe(look()))
    }
}
