import Diagnostics
import HTTPServer
import Metrics
import PlatformModel
import StreamRuntime
import Telemetry

/// Serves metrics and health while a long command runs. Threads: one; requests are answered on the server's own.
final class MonitoringEndpoint {
    private let server: HTTPServer

    /// Makes the registry the backend of all metrics of this process and listens; nil when the configuration wants no
    /// endpoint, and then metrics cost nothing. Once, before anything records a metric.
    ///
    /// - Parameter readiness: What `/readyz` answers.
    static func start(_ settings: MonitoringSettings, readiness: Readiness) throws -> MonitoringEndpoint? {
        guard let port = settings.port else { return nil }
        let registry = PrometheusRegistry(onConflict: { Log.write(.error, $0) })
        MetricsSystem.bootstrap(registry)
        ProcessMetrics.register(in: registry)
        Gauge(label: "streamplat_build_info", dimensions: [("version", Version.current)]).record(1)
        let routes = MonitoringRoutes(registry: registry, notReadyBecause: { readiness.reasons })
        return try MonitoringEndpoint(host: settings.host, port: port, routes: routes)
    }

    private init(host: String, port: Int, routes: MonitoringRoutes) throws {
        server = HTTPServer(
            options: HTTPServerOptions(host: host, port: port, bodyByteLimit: 1024, connectionLimit: 64)
        ) {
            request in
            let answer = routes.answer(
                method: request.method, path: "/" + request.path.joined(separator: "/"))
            return HTTPServerResponse(status: answer.status, contentType: answer.contentType, text: answer.body)
        }
        do {
            let bound = try server.start()
            let shown = host.contains(":") ? "[\(host)]" : host
            Log.write(.info, "serving /metrics, /healthz and /readyz", ["address": "http://\(shown):\(bound)"])
        } catch let error as PipelineError {
            throw PipelineError(
                .monitoringPort, "the monitoring endpoint \(error.message)",
                hint:
                    "set monitoring.port to a free port, or to 0 for any, and monitoring.host to an address of this machine",
                exitCode: 3)
        }
    }

    func stop() throws { try server.stop(graceMilliseconds: 1000) }
}
