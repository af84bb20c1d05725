internal import CoreMetrics
internal import Synchronization

/// One metric with one set of labels. Threads: any.
protocol PrometheusSeries: AnyObject, Sendable {
    /// What to print now; nil when there is nothing yet.
    var reading: PrometheusReading? { get }
}

/// The state of a series at one instant.
enum PrometheusReading {
    case integer(Int64)
    case number(Double)
    /// Observations of each bucket (not cumulative), the last one above all bounds, and their sum.
    case histogram(counts: [UInt64], sum: Double)
}

/// A whole number that only grows: one atomic addition an update.
final class CounterSeries: PrometheusSeries, CounterHandler {
    private let value = Atomic<Int64>(0)

    var reading: PrometheusReading? { .integer(value.load(ordering: .relaxed)) }

    /// An amount below 0 is left out: a counter that falls looks like a restart to Prometheus.
    func increment(by amount: Int64) { if amount > 0 { value.wrappingAdd(amount, ordering: .relaxed) } }
    func reset() { value.store(0, ordering: .relaxed) }
}

final class FloatingPointCounterSeries: PrometheusSeries, FloatingPointCounterHandler {
    private let value = Mutex<Double>(0)

    var reading: PrometheusReading? { .number(value.withLock { $0 }) }

    func increment(by amount: Double) { if amount > 0 { value.withLock { $0 += amount } } }
    func reset() { value.withLock { $0 = 0 } }
}

/// A value that goes up and down; not shown before it is set.
final class GaugeSeries: PrometheusSeries, RecorderHandler, MeterHandler {
    private let value = Mutex<Double?>(nil)

    var reading: PrometheusReading? { value.withLock { $0 }.map { .number($0) } }

    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { value.withLock { $0 = ($0 ?? 0) + amount } }
    func decrement(by amount: Double) { increment(by: -amount) }
}

/// Observations counted by size. An update takes a free lock: once a batch or call, never once a row.
final class HistogramSeries: PrometheusSeries, RecorderHandler, TimerHandler {
    private struct State {
        var counts: [UInt64]
        var sum = 0.0
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    var reading: PrometheusReading? { state.withLock { .histogram(counts: $0.counts, sum: $0.sum) } }

    func record(_ value: Int64) { record(Double(value)) }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    /// Not a number belongs to no bucket and is left out.
    func record(_ value: Double) {
        guard !value.isNaN else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock {
            $0.counts[bucket] += 1
            $0.sum += value
        }
    }
}

/// A value that is asked for when it is shown.
final class PulledSeries: PrometheusSeries {
    private let read: @Sendable () -> Double?

    init(read: @escaping @Sendable () -> Double?) { self.read = read }

    var reading: PrometheusReading? { read().map { .number($0) } }
}
