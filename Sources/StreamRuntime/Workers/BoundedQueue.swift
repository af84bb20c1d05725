internal import Foundation

/// A first-in-first-out queue between threads that holds at most `capacity` elements: a full queue is back-pressure.
///
/// Threads: any. Elements are batches, never rows, so a lock per operation is cheap.
final class BoundedQueue<Element: Sendable>: @unchecked Sendable {
    // `@unchecked`: every access to the stored properties is between lock() and unlock() of `condition`.
    private let condition = NSCondition()
    private let capacity: Int
    private var elements: [Element?] = []
    private var head = 0
    private var isClosed = false

    init(capacity: Int) { self.capacity = capacity }

    /// Adds an element if there is room now.
    func tryPush(_ element: Element) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        guard elements.count - head < capacity, !isClosed else { return false }
        elements.append(element)
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
        let element = elements[head]
        elements[head] = nil
        head += 1
        // The taken prefix is dropped when it is the larger part, so that taking is O(1) on average.
        if head > 32, head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        condition.broadcast()
        return element
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
