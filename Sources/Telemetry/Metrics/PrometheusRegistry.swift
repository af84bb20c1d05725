public import CoreMetrics
internal import Synchronization

/// Holds every metric of the process and shows them in Prometheus' text format.
///
/// `MetricsSystem.bootstrap(registry)`, once, before anything makes a counter; from then on code that imports only `Metrics`
/// fills it. Names and labels of ``MetricCatalog`` are taken as they are; others, of plugins, are made valid (dots become
/// underscores, counters end in `_total`, timers in `_seconds`). The same name and labels give the same series, whoever
/// asks. Threads: any; making a series takes a lock, updating one is an atomic addition or a free lock.
public final class PrometheusRegistry: MetricsFactory {
    struct Label: Hashable, Comparable, Sendable {
        var name: String
        var value: String

        static func < (a: Label, b: Label) -> Bool { (a.name, a.value) < (b.name, b.value) }
    }

    struct Family: Sendable {
        var definition: MetricDefinition
        var series: [[Label]: any PrometheusSeries] = [:]
    }

    /// Bounds of a histogram that the catalogue does not know.
    private static let secondsBounds = MetricCatalog.callSeconds
    private static let sizeBounds: [Double] = (0...9).map { Double(1 << (2 * $0)) }

    private let families = Mutex<[String: Family]>([:])
    private let onConflict: @Sendable (String) -> Void

    /// - Parameter onConflict: Is told when a name is asked for as two different kinds; what the second one records is not
    ///   shown, because a metric has one type.
    public init(onConflict: @escaping @Sendable (String) -> Void = { _ in }) { self.onConflict = onConflict }

    /// The families by name, each with its series.
    var snapshot: [Family] { families.withLock { $0.values.sorted { $0.definition.name < $1.definition.name } } }

    /// Shows a value of the catalogue that is asked for at each scrape; nil leaves it out.
    public func pull(_ name: String, _ read: @escaping @Sendable () -> Double?) {
        let kind = MetricCatalog.definition(name)?.kind ?? .gauge
        _ = series(name, [], kind, bounds: []) { _ in PulledSeries(read: read) }
    }

    // MARK: The factory.

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, .counter, suffix: "_total", bounds: []) { _ in CounterSeries() }
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(label, dimensions, .counter, suffix: "_total", bounds: []) { _ in FloatingPointCounterSeries() }
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, .gauge, bounds: []) { _ in GaugeSeries() }
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        if aggregate {
            return series(label, dimensions, .histogram, bounds: Self.sizeBounds) { HistogramSeries(bounds: $0) }
        }
        return series(label, dimensions, .gauge, bounds: []) { _ in GaugeSeries() }
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions, .histogram, suffix: "_seconds", bounds: Self.secondsBounds) {
            HistogramSeries(bounds: $0)
        }
    }

    public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    // MARK: Families.

    private func series<Series: PrometheusSeries>(
        _ label: String, _ dimensions: [(String, String)], _ kind: MetricDefinition.Kind, suffix: String = "",
        bounds: [Double], _ make: ([Double]) -> Series
    ) -> Series {
        let definition = Self.definition(label, kind, suffix: suffix, dimensions, bounds)
        let labels = dimensions.map { Label(name: PrometheusName.label($0.0), value: $0.1) }.sorted()
        let found: Series? = families.withLock { families in
            var family = families[definition.name] ?? Family(definition: definition)
            guard family.definition.kind == kind else { return nil }
            if let known = family.series[labels] { return known as? Series }
            let made = make(definition.buckets)
            family.series[labels] = made
            families[definition.name] = family
            return made
        }
        if let found { return found }
        onConflict("the metric '\(definition.name)' is recorded as a \(kind.rawValue) and as something else")
        return make(definition.buckets)
    }

    private static func definition(
        _ label: String, _ kind: MetricDefinition.Kind, suffix: String, _ dimensions: [(String, String)],
        _ bounds: [Double]
    ) -> MetricDefinition {
        if let known = MetricCatalog.definition(label), known.kind == kind { return known }
        var name = PrometheusName.metric(label)
        if !name.hasSuffix(suffix) { name += suffix }
        return MetricDefinition(
            name, kind, "Recorded by a plugin.", labels: dimensions.map(\.0), buckets: bounds)
    }

    private func remove(_ handler: AnyObject) {
        families.withLock { families in
            for (name, family) in families {
                guard let labels = family.series.first(where: { $0.value === handler })?.key else { continue }
                families[name]?.series[labels] = nil
            }
        }
    }
}
