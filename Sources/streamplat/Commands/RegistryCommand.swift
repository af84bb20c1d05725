import ArgumentParser
import Diagnostics
import Dispatch
import Glibc
import HTTPServer
import PlatformModel
import RegistryServer
import SchemaStore

struct RegistryCommand: FormattedCommand {
    static let formats: [OutputFormat] = [.text]
    static let configuration = CommandConfiguration(
        commandName: "registry",
        abstract: "Serve a schema registry with the REST interface of the Confluent Schema Registry.",
        discussion: """
            Schemas are Avro; they are kept in a folder, which the schema registry plugin `embedded` and other
            processes may use at the same time. There is no authentication: listen only where everybody may write.
            Ends with SIGTERM or SIGINT, after the requests that are being answered.
            """)

    @Option(help: "The port; 0 for a free one, which is printed.")
    var port = 8081

    @Option(help: "The address to listen at: a name or a number of this machine.")
    var host = "127.0.0.1"

    @Option(help: "The folder of the schemas, made when it is missing.")
    var path = ".streamplat/registry"

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if !(0...65_535 ~= port) { throw ValidationError("--port takes a number from 0 to 65535.") }
    }

    func run() throws {
        Failure.configure(isJSON: global.output == .json, allowsColor: !global.noColor)
        Log.configure(MonitoringSettings(), level: global.logThreshold)
        let store = try SchemaStore(folder: path, create: false, notify: global.notify)
        let service = RegistryService(store)
        let server = HTTPServer(options: HTTPServerOptions(host: host, port: port)) { request in
            let response = service.respond(to: request)
            Log.write(
                .debug, "request",
                [
                    "method": request.method, "path": "/" + request.path.joined(separator: "/"),
                    "status": "\(response.status)",
                ])
            return response
        }
        // Before the address is printed: whoever reads it may send a signal.
        let ended = DispatchSemaphore(value: 0)
        let signals = SignalWatch { ended.signal() }
        let bound = try server.start()
        // Only now: a server that cannot listen leaves nothing behind. Nobody has been told the address yet.
        try store.createFolder()
        let shownHost = host.contains(":") ? "[\(host)]" : host
        print("schema registry at http://\(shownHost):\(bound), schemas in \(path)")
        Log.write(.info, "schema registry started", ["address": "http://\(shownHost):\(bound)", "path": path])
        // Whoever started it waits for this line, also through a pipe.
        fflush(nil)
        withExtendedLifetime(signals) { ended.wait() }
        try server.stop()
        Log.write(.info, "schema registry stopped")
        global.say("stopped")
    }
}
