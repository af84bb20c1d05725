import Diagnostics
import EventLog
import Foundation
import Glibc
import Testing

@Suite("Event log: topics, groups")
struct StoreTests {
    @Test("group offsets are kept per group and merged")
    func groups() throws {
        let scratch = Scratch()
        let log = try scratch.open()
        #expect(try log.committed(group: "g").isEmpty)
        try log.commit(group: "g", offsets: [LogPartition(topic: "t", partition: 0): 5])
        try log.commit(group: "g", offsets: [LogPartition(topic: "t", partition: 1): 7])
        #expect(
            try scratch.open().committed(group: "g")
                == [LogPartition(topic: "t", partition: 0): 5, LogPartition(topic: "t", partition: 1): 7])
    }

    @Test("topics are created once, grow, and refuse what they cannot do")
    func topics() throws {
        let scratch = Scratch()
        let log = try scratch.open()
        try log.createTopic("events.a", partitions: 2, config: ["retention.ms": "1000"])
        #expect(throws: PipelineError.self) { try log.createTopic("events.a", partitions: 2, config: [:]) }
        try log.alterTopic("events.a", partitions: 3, config: ["segment.bytes": "4096"])
        #expect(try log.topic("events.a")?.partitions == 3)
        #expect(try log.topics().map(\.config) == [["retention.ms": "1000", "segment.bytes": "4096"]])
        #expect(throws: PipelineError.self) { try log.alterTopic("events.a", partitions: 1, config: [:]) }
        let error = #expect(throws: PipelineError.self) {
            try log.alterTopic("events.a", partitions: nil, config: ["retention.msec": "1"])
        }
        #expect(error?.hint == "did you mean 'retention.ms'?")
    }

    @Test(
        "names that Kafka would not take are refused",
        arguments: ["", ".", "..", "a/b", "ä", "~x", String(repeating: "a", count: 250)])
    func names(name: String) throws {
        let error = #expect(throws: PipelineError.self) {
            try Scratch().open().createTopic(name, partitions: 1, config: [:])
        }
        #expect(error?.code == .invalidTopicName)
    }

    @Test("a folder that cannot be made ends with exit code 3 and names the path")
    func notAccessible() throws {
        let error = #expect(throws: PipelineError.self) { try EventLog(root: "/dev/null/log") }
        #expect(error?.exitCode == 3)
        #expect(error?.message.contains("/dev/null") == true)
    }

    @Test("without write permission the log does not open, and says so with exit code 3", .enabled(if: getuid() == 0))
    func permission() async throws {
        let parent = Scratch()
        try FileManager.default.createDirectory(atPath: parent.path, withIntermediateDirectories: true)
        chmod(parent.path, 0o755)
        typealias SetUser = @convention(c) (UInt32) -> Int32
        let symbol = try #require(dlsym(nil, "setfsuid"))
        // Linux keeps the file system user per thread: the rights of other tests stay as they are.
        let setUser = unsafeBitCast(symbol, to: SetUser.self)
        let path = "\(parent.path)/log"
        let error: PipelineError? = await withCheckedContinuation { done in
            Thread {
                _ = setUser(65_534)
                defer { _ = setUser(0) }
                do throws(PipelineError) {
                    _ = try EventLog(root: path)
                    done.resume(returning: nil)
                } catch {
                    done.resume(returning: error)
                }
            }.start()
        }
        #expect(error?.code == .logNotAccessible)
        #expect(error?.exitCode == 3)
        #expect(error?.message == "cannot create the folder \(path): Permission denied")
    }

    @Test("a folder of something else is not taken over")
    func foreignFolder() throws {
        let scratch = Scratch()
        try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
        _ = FileManager.default.createFile(atPath: "\(scratch.path)/thesis.txt", contents: nil)
        let error = #expect(throws: PipelineError.self) { try scratch.open() }
        #expect(error?.code == .logFormatUnknown)
    }
}
