internal import DataPath
internal import Foundation
internal import Metrics
internal import PlatformModel

/// The series that the threads of a run share. Made once, before the first batch; an update is one atomic addition or a
/// free lock, once a batch or call. docs/metrics.md says what each means. Threads: any.
final class RunMetrics: Sendable {
    /// By input.
    let eventsRead: [Counter]
    let batches = Counter(label: "streamplat_batches_total")
    let batchDuration = Metrics.Timer(label: "streamplat_batch_duration_seconds")
    let batchRows = Recorder(label: "streamplat_batch_rows")
    /// By aggregation.
    let lateEvents: [Counter]
    let checkpoints = Counter(label: "streamplat_checkpoints_total")
    let checkpointDuration = Metrics.Timer(label: "streamplat_checkpoint_duration_seconds")
    let checkpointBytes = Gauge(label: "streamplat_checkpoint_bytes")
    private let watermarks: [Gauge]
    private let watermarkLags: [Gauge]

    init(_ topology: Topology) {
        eventsRead = topology.inputs.map {
            Counter(label: "streamplat_events_read_total", dimensions: [("event_type", $0.eventType.name)])
        }
        func labels(_ index: Int) -> [(String, String)] { [("aggregation", topology.aggregations[index].name)] }
        let indices = topology.aggregations.indices
        lateEvents = indices.map {
            Counter(
                label: "streamplat_late_events_total",
                dimensions: labels($0) + [("policy", topology.aggregations[$0].late.rawValue)])
        }
        watermarks = indices.map { Gauge(label: "streamplat_watermark_seconds", dimensions: labels($0)) }
        watermarkLags = indices.map { Gauge(label: "streamplat_watermark_lag_seconds", dimensions: labels($0)) }
    }

    /// Shows watermarks, milliseconds since the epoch, by aggregation; `Int64.min`, none yet, leaves its gauge as it is.
    func show(watermarks published: [Int64]) {
        let now = Date().timeIntervalSince1970
        for (index, watermark) in published.enumerated() where watermark != .min {
            watermarks[index].record(Double(watermark) / 1000)
            watermarkLags[index].record(now - Double(watermark) / 1000)
        }
    }
}
