/// What happened in a simulation, step by step: all of it as one hash, the last steps as text. Threads: one.
struct Trace {
    private struct Entry {
        var time: Int64
        var process: Int
        var what: StaticString
        var number: Int
    }

    private static let kept = 80
    private var last: [Entry] = []
    private var head = 0
    private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    private(set) var count = 0

    mutating func add(_ time: Int64, _ process: Int, _ what: StaticString, _ number: Int) {
        mix(UInt64(bitPattern: time))
        mix(UInt64(process))
        what.withUTF8Buffer { for byte in $0 { mix(UInt64(byte)) } }
        mix(UInt64(bitPattern: Int64(number)))
        count += 1
        let entry = Entry(time: time, process: process, what: what, number: number)
        if last.count < Self.kept {
            last.append(entry)
        } else {
            last[head] = entry
            head = (head + 1) % Self.kept
        }
    }

    private mutating func mix(_ word: UInt64) { hash = (hash ^ word) &* 0x100_0000_01b3 }

    var text: String {
        (last[head...] + last[..<head]).map { "  \($0.time) ms  process \($0.process)  \($0.what) \($0.number)" }
            .joined(separator: "\n")
    }
}
