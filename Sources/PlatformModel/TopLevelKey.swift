/// The keys at the top of the merged tree. Platform and domain keys stand side by side in it.
enum TopLevelKey {
    /// Read by ``PlatformSettings``.
    static let platform = [
        "default_domain", "broker", "schema_registry", "kafka", "runtime", "sinks", "secrets", "monitoring", "schemas",
        "dead_letters", "domains",
    ]

    /// Read by ``DomainDefinition``.
    static let domain = [
        "domain", "version", "description", "namespace", "entity", "types", "event_types", "streams", "aggregations",
        "alerts", "metric_alerts", "event_alerts", "synthetic", "sample_data",
    ]

    /// Described in the design, refused by ``DomainDefinition``.
    static let later = ["tables", "tests"]
}
