internal import Synchronization

/// Whether a process does its work now, and if not, why: what `/readyz` answers. Threads: any.
///
/// Each part that cannot go on holds readiness back under its own name and lets go when it can.
public final class Readiness: Sendable {
    private let reasonByComponent: Mutex<[String: String]>

    /// Not ready: `process` is starting.
    public init() { reasonByComponent = Mutex([Self.process: "starting"]) }

    /// The component of the process as a whole.
    public static let process = "process"

    /// One line a component that holds back, sorted; empty when ready.
    public var reasons: [String] {
        reasonByComponent.withLock { $0.map { "\($0.key): \($0.value)" } }.sorted()
    }

    /// Not ready from now on, until `component` is released; a newer reason replaces an older one.
    public func hold(_ component: String, _ reason: String) {
        reasonByComponent.withLock { $0[component] = reason }
    }

    /// Lets go; a component that did not hold back changes nothing.
    public func release(_ component: String) {
        reasonByComponent.withLock { $0[component] = nil }
    }
}
