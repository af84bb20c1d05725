/// What a worker has to hand over and what found no room yet, in order: a full queue is back-pressure, and the worker counts
/// nothing more until all is delivered. It holds at most what one block of records and one flush make. Threads: one.
struct Outbox {
    enum Letter: Sendable {
        case shard(Int, ShardMessage)
        case sink(SinkMessage)
    }

    private var letters: [Letter] = []
    private var head = 0

    var isEmpty: Bool { head == letters.count }

    /// Hands a letter over now if nothing waits before it; otherwise, or where `deliver` says that there is no room, keeps it.
    mutating func send(_ letter: Letter, deliver: (Letter) throws -> Bool) rethrows {
        if isEmpty, try deliver(letter) { return }
        letters.append(letter)
    }

    /// Hands over what waits, oldest first; true when nothing is left.
    mutating func deliver(_ deliver: (Letter) throws -> Bool) rethrows -> Bool {
        while head < letters.count, try deliver(letters[head]) { head += 1 }
        guard isEmpty else { return false }
        letters.removeAll(keepingCapacity: true)
        head = 0
        return true
    }
}
