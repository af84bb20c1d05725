internal import Foundation

/// A first-in-first-out queue between threads that holds at most `capacity` elements and about `byteLimit` bytes: a full queue
/// is back-pressure. An element that is larger than the limit is let in when the queue is empty.
///
/// Threads: any. Elements are batches, never rows, so a lock per operation is cheap.
final class BoundedQueue<Element: Sendable>: @unchecked Sendable {
    // `@unchecked`: every access to the stored properties is between lock() and unlock() of `condition`.
    private let condition = NSCondition()
    private let capacity: Int
    private let byteLimit: Int
    private let size: @Sendable (Element) -> Int
    private var elements: [(element: Element, bytes: Int)?] = []
    private var bytes = 0
    private var head = 0
    private var isClosed = false

    /// - Parameter size: The bytes of an element.
    init(capacity: Int, byteLimit: Int = .max, size: @escaping @Sendable (Element) -> Int = { _ in 0 }) {
        self.capacity = capacity
        self.byteLimit = byteLimit
        self.size = size
    }

    /// Bytes of what is in the queue.
    var heldBytes: Int {
        condition.lock()
        defer { condition.unlock() }
        return bytes
    }

    private func hasRoom(for added: Int) -> Bool {
        let count = elements.count - head
        return count < capacity && (count == 0 || bytes + added <= byteLimit)
    }

    /// Adds an element, waiting for room; false when the queue is closed.
    func push(_ element: Element) -> Bool {
        let added = size(element)
        condition.lock()
        defer { condition.unlock() }
        while !hasRoom(for: added), !isClosed { condition.wait() }
        guard !isClosed else { return false }
        elements.append((element, added))
        bytes += added
        condition.broadcast()
        return true
    }

    /// Adds an element if there is room now.
    func tryPush(_ element: Element) -> Bool {
        let added = size(element)
        condition.lock()
        defer { condition.unlock() }
        guard hasRoom(for: added), !isClosed else { return false }
        elements.append((element, added))
        bytes += added
        condition.broadcast()
        return true
    }

    /// The oldest element, waiting for one until `deadline`; nil when there is none by then.
    func pop(waitingMilliseconds: Int) -> Element? {
        condition.lock()
        defer { condition.unlock() }
        if head == elements.count, waitingMilliseconds > 0 {
            let deadline = Date(timeIntervalSinceNow: Double(waitingMilliseconds) / 1000)
            while head == elements.count, !isClosed {
                if !condition.wait(until: deadline) { break }
            }
        }
        guard head < elements.count else { return nil }
        let taken = elements[head]
        elements[head] = nil
        bytes -= taken?.bytes ?? 0
        head += 1
        // The taken prefix is dropped when it is the larger part, so that taking is O(1) on average.
        if head > 32, head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        condition.broadcast()
        return taken?.element
    }

    /// True when the queue is closed and empty.
    var isFinished: Bool {
        condition.lock()
        defer { condition.unlock() }
        return isClosed && head == elements.count
    }

    /// Lets everybody go: pushes fail from now on, pops give what is left.
    func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        condition.unlock()
    }
}
