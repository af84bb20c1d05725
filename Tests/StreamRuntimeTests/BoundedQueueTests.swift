import Foundation
import Testing

@testable import StreamRuntime

@Suite("Queues between threads")
struct BoundedQueueTests {
    @Test("a queue is full by bytes before it is full by elements")
    func bytes() {
        let queue = BoundedQueue<Int>(capacity: 10, byteLimit: 100) { $0 }
        #expect(queue.tryPush(60) && queue.tryPush(40))
        #expect(!queue.tryPush(1))
        #expect(queue.pop(waitingMilliseconds: 0) == 60 && queue.heldBytes == 40)
        #expect(queue.tryPush(60) && !queue.tryPush(1))
    }

    @Test("what is larger than the limit passes an empty queue")
    func large() {
        let queue = BoundedQueue<Int>(capacity: 10, byteLimit: 100) { $0 }
        #expect(queue.tryPush(1000) && !queue.tryPush(1))
        #expect(queue.pop(waitingMilliseconds: 0) == 1000 && queue.heldBytes == 0)
        #expect(queue.tryPush(1) && !queue.tryPush(1000))
    }

    @Test("whoever waits for bytes goes on when they are taken, or when the queue is closed")
    func waiting() {
        for closing in [false, true] {
            let queue = BoundedQueue<Int>(capacity: 10, byteLimit: 100) { $0 }
            #expect(queue.push(100))
            let done = DispatchSemaphore(value: 0)
            let thread = Thread {
                #expect(queue.push(1) == !closing)
                done.signal()
            }
            thread.start()
            if closing { queue.close() } else { #expect(queue.pop(waitingMilliseconds: 0) == 100) }
            done.wait()
        }
    }
}

@Suite("Memory of the machine")
final class MachineMemoryTests {
    private let root = NSTemporaryDirectory() + "streamplat-machine-\(UUID().uuidString)"

    deinit { try? FileManager.default.removeItem(atPath: root) }

    private func machine(_ files: [String: String]) throws -> MachineMemory {
        for (path, text) in files {
            let folder = (root + path as NSString).deletingLastPathComponent
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try text.write(toFile: root + path, atomically: true, encoding: .utf8)
        }
        return MachineMemory(root: root)
    }

    private static let total = "MemTotal:        8388608 kB\nMemFree: 1 kB\n"

    @Test("without control groups it is what the machine has")
    func plain() throws {
        #expect(try machine(["/proc/meminfo": Self.total]).bytes == 8 << 30)
    }

    @Test(
        "the lowest limit of the group and of those around it counts",
        arguments: [
            "/sys/fs/cgroup/a/b/memory.max", "/sys/fs/cgroup/a/memory.max", "/sys/fs/cgroup/memory.max",
        ])
    func version2(_ place: String) throws {
        let files = [
            "/proc/meminfo": Self.total, "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/memory.max": "max\n",
        ].merging([place: "536870912\n"]) { $1 }
        #expect(try machine(files).bytes == 512 << 20)
    }

    @Test("version 1 of control groups, with its figure for no limit")
    func version1() throws {
        let files = [
            "/proc/meminfo": Self.total, "/proc/self/cgroup": "5:cpu:/x\n4:memory:/x\n",
            "/sys/fs/cgroup/memory/x/memory.limit_in_bytes": "9223372036854771712\n",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n",
        ]
        #expect(try machine(files).bytes == 1 << 30)
    }

    @Test("where nothing is known it is a gibibyte")
    func unknown() throws { #expect(try machine([:]).bytes == 1 << 30) }
}
