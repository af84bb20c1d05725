internal import Dispatch
internal import Foundation
internal import Synchronization

/// A thread that runs one body and can be waited for.
final class RunThread: Sendable {
    private let done = DispatchSemaphore(value: 0)

    /// Starts at once, or with `isInline` runs here and now. `value` belongs to the new thread from here on: the caller must not touch it again.
    init<Value>(
        name: String, confining value: Value, isInline: Bool = false, _ body: @escaping @Sendable (Value) -> Void
    ) {
        if isInline {
            body(value)
            done.signal()
            return
        }
        let box = Confined(value: value)
        let done = done
        let thread = Thread {
            body(box.value)
            done.signal()
        }
        thread.name = name
        thread.stackSize = 4 << 20
        thread.start()
    }

    /// Waits for the thread's end, but not longer than that; true when it has ended. After that, do not ask again.
    func join(milliseconds: Int) -> Bool { done.wait(timeout: .now() + .milliseconds(milliseconds)) == .success }

    /// Carries a value that is not sendable into its thread: nobody else uses it afterwards.
    private struct Confined<Value>: @unchecked Sendable {
        let value: Value
    }
}

/// What a thread has brought about. Threads: any.
final class ThreadOutcome<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>?>(nil)

    func set(_ body: () throws -> Value) {
        let outcome = Result { try body() }
        result.withLock { $0 = outcome }
    }

    /// Gives or throws it; nil as long as there is nothing.
    func get() throws -> Value? { try result.withLock { $0 }?.get() }
}
