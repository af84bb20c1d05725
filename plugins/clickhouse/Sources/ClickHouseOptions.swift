internal import Diagnostics
internal import PluginAPI

/// The options of the sink, read once.
struct ClickHouseOptions {
    var urls: [String]
    var database: String
    var createsDatabase: Bool
    var user: String
    var password: Secret?
    var authorityFile: String?
    var certificateFile: String?
    var keyFile: String?
    var timeoutMilliseconds: Int
    var isCompressed: Bool
    var maxBatchRows: Int
    var minInsertIntervalMilliseconds: Int64

    init(_ values: OptionValues, _ context: PluginContext) {
        urls = Self.urls(values)
        database = values.string("database") ?? "default"
        createsDatabase = values.boolean("create_database") ?? true
        user = values.string("user") ?? "default"
        password = values.secret("password")
        authorityFile = values.string("ca_file").map(context.absolute)
        certificateFile = values.string("cert_file").map(context.absolute)
        keyFile = values.string("key_file").map(context.absolute)
        timeoutMilliseconds = Int(clamping: values.milliseconds("timeout") ?? 30_000)
        isCompressed = values.string("compression") != "none"
        maxBatchRows = values.integer("max_batch_rows") ?? 100_000
        minInsertIntervalMilliseconds = values.milliseconds("min_insert_interval") ?? 250
    }

    /// What is wrong with options beyond their types. Pure.
    static func problems(of values: OptionValues) -> [Diagnostic] {
        var problems: [Diagnostic] = []
        func add(_ key: String, _ message: String, hint: String) {
            problems.append(Diagnostic(.clickHouseOption, message, at: values.location(key), path: key, hint: hint))
        }
        let urls = urls(values)
        if urls.isEmpty { add("urls", "'urls' is empty", hint: "write at least one: http://localhost:8123") }
        for (index, url) in urls.enumerated() where !url.contains("$<") && !url.contains("${") {
            guard let (problem, hint) = problem(ofURL: url) else { continue }
            // The URL itself is not quoted: it may hold a password.
            add("urls", "entry \(index + 1) of 'urls' \(problem)", hint: hint)
        }
        if values.string("database") == "" {
            add("database", "'database' is empty", hint: "name a database, such as 'default'")
        }
        if values.string("key_file") != nil, values.string("cert_file") == nil {
            add("key_file", "'key_file' is given without 'cert_file'", hint: "give the certificate of that key too")
        }
        if values.milliseconds("timeout") == 0 {
            add("timeout", "'timeout' is 0", hint: "write how long a request may take, such as 30 seconds")
        }
        return problems
    }

    private static func urls(_ values: OptionValues) -> [String] {
        // A single unresolved variable stands as a string.
        values.strings("urls") ?? values.string("urls").map { [$0] } ?? []
    }

    private static func problem(ofURL url: String) -> (problem: String, hint: String)? {
        let parts = url.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, ["http", "https"].contains(parts[0].lowercased()) else {
            return ("does not begin with http:// or https://", "write it like http://localhost:8123")
        }
        let authority = parts[1].prefix { !"/?#".contains($0) }
        if authority.contains("@") {
            return ("holds credentials, which would show wherever the URL does", "use `user` and `password`")
        }
        if authority.isEmpty { return ("names no host", "write it like http://localhost:8123") }
        if url.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
            return ("holds a blank or a control character", "write it like http://localhost:8123")
        }
        if url.contains("?") || url.contains("#") {
            return ("has a query or fragment", "leave out what comes after the path; options have keys of their own")
        }
        return nil
    }
}
