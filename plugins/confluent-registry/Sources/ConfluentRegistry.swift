import ConfigTree
public import Diagnostics
import HTTPClient
public import PluginAPI

/// The schema registry plugin `confluent`: a server with the Confluent Schema Registry's REST interface.
public struct ConfluentRegistry: SchemaRegistryPlugin {
    public static let spec = PluginSpec(
        kind: .schemaRegistry, name: "confluent",
        summary: "A server with the REST interface of the Confluent Schema Registry, `streamplat registry` among them.",
        options: [
            OptionSpec(
                "urls", .strings, default: "http://127.0.0.1:8081",
                doc: "Where the registry answers. The next one is asked when one does not answer or fails.",
                example: "[https://registry-1.example.com, https://registry-2.example.com]"),
            OptionSpec("username", .string, doc: "For basic authentication, with 'password'.", example: "streamplat"),
            OptionSpec("password", .string, isSecret: true, doc: "The user's.", example: "$<secret:registry#password>"),
            OptionSpec(
                "token", .string, isSecret: true, doc: "For bearer authentication.", example: "$<secret:registry#token>"
            ),
            OptionSpec(
                "ca_file", .path, doc: "A PEM file of the authorities to trust instead of the system's.",
                example: "config/ca.pem"),
            OptionSpec("cert_file", .path, doc: "A PEM file of the certificate that this client shows."),
            OptionSpec("key_file", .path, doc: "A PEM file of that certificate's key, if it is not in the same file."),
            OptionSpec("timeout", .duration, default: "10 seconds", doc: "How long one request may take."),
        ])

    public init() {}

    public func validate(_ options: OptionValues, into diagnostics: inout Diagnostics) {
        func add(_ key: String, _ message: String, hint: String) {
            diagnostics.error(
                .registryOptions, message, at: options.location(key), path: "schema_registry.confluent.\(key)",
                hint: hint)
        }
        let urls = Self.urls(options)
        if urls.isEmpty { add("urls", "'urls' is empty", hint: "write at least one: http://127.0.0.1:8081") }
        for (index, url) in urls.enumerated() {
            guard let problem = Self.problem(of: url) else { continue }
            add("urls", "entry \(index + 1) of 'urls' \(problem)", hint: "such as https://registry.example.com:8081")
        }
        if (options.string("username") == nil) != (options.secret("password") == nil) {
            let key = options.string("username") == nil ? "password" : "username"
            add(key, "'username' and 'password' belong together", hint: "give both, or neither")
        }
        if options.secret("token") != nil, options.string("username") != nil {
            add("token", "'token' and 'username' are two ways to log in", hint: "give one of them")
        }
        if options.string("key_file") != nil, options.string("cert_file") == nil {
            add("key_file", "'key_file' is given without 'cert_file'", hint: "give the certificate of that key too")
        }
        if let milliseconds = options.milliseconds("timeout"), milliseconds <= 0 {
            add("timeout", "'timeout' must be positive", hint: "such as 10 seconds")
        }
    }

    public func open(_ options: OptionValues, _ context: PluginContext) throws -> any SchemaRegistry {
        var header: HTTPHeader?
        if let token = options.secret("token") {
            header = .bearer(token)
        } else if let user = options.string("username"), let password = options.secret("password") {
            header = .basic(user: user, password: password)
        }
        let timeout = Int(clamping: options.milliseconds("timeout") ?? 10_000)
        let connection = try RegistryConnection(
            urls: Self.urls(options).map { url in String(url.reversed().drop { $0 == "/" }.reversed()) },
            authorization: header,
            options: HTTPClientOptions(
                connectTimeoutMilliseconds: min(5_000, timeout), timeoutMilliseconds: timeout,
                certificateAuthorityFile: options.string("ca_file").map(context.absolute),
                clientCertificateFile: options.string("cert_file").map(context.absolute),
                clientKeyFile: options.string("key_file").map(context.absolute)))
        let registry = ConfluentSchemas(connection)
        do {
            try registry.checkConnection()
        } catch var error as PipelineError {
            // Whatever it is: the registry cannot be used.
            error.exitCode = 3
            throw error
        }
        return registry
    }

    /// A single text stands for a list that is one variable, not resolved yet.
    private static func urls(_ options: OptionValues) -> [String] {
        options.strings("urls") ?? options.string("urls").map { [$0] } ?? []
    }

    private static func problem(of url: String) -> String? {
        if VariableText.containsVariable(url) { return nil }
        let lowercased = url.lowercased()
        guard let scheme = ["http://", "https://"].first(where: lowercased.hasPrefix), url.count > scheme.count else {
            return "is not an http or https URL"
        }
        if url.contains("@") { return "holds credentials; they belong into 'username' and 'password'" }
        if url.contains(where: { "?# ".contains($0) }) { return "is more than a server's URL" }
        return nil
    }
}
