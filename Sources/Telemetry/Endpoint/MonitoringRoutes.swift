/// What the monitoring endpoint answers: `/metrics`, `/healthz`, `/readyz`. No socket here. Threads: any.
public struct MonitoringRoutes: Sendable {
    public struct Answer: Sendable, Equatable {
        public var status: Int
        public var contentType: String
        public var body: String
    }

    private static let plain = "text/plain; charset=utf-8"

    private let registry: PrometheusRegistry
    private let reasons: @Sendable () -> [String]

    /// - Parameter notReadyBecause: Why the process does not do its work now, one line each; none when it does.
    public init(registry: PrometheusRegistry, notReadyBecause reasons: @escaping @Sendable () -> [String]) {
        self.registry = registry
        self.reasons = reasons
    }

    /// - Parameter path: Without a query.
    public func answer(method: String, path: String) -> Answer {
        guard method == "GET" || method == "HEAD" else {
            return Answer(status: 405, contentType: Self.plain, body: "only GET and HEAD\n")
        }
        switch path {
        case "/metrics":
            return Answer(status: 200, contentType: PrometheusRegistry.contentType, body: registry.exposition())
        case "/healthz": return Answer(status: 200, contentType: Self.plain, body: "ok\n")
        case "/readyz":
            let reasons = reasons()
            return reasons.isEmpty
                ? Answer(status: 200, contentType: Self.plain, body: "ready\n")
                : Answer(status: 503, contentType: Self.plain, body: reasons.map { "\($0)\n" }.joined())
        default:
            return Answer(
                status: 404, contentType: Self.plain, body: "there are /metrics, /healthz and /readyz\n")
        }
    }
}
