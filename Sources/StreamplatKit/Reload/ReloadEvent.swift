public import Diagnostics
public import PlatformModel

/// What became of a look at a changed configuration.
public enum ReloadEvent: Sendable {
    /// Findings about what is written, or secrets that are missing; the run goes on with the configuration before.
    case invalid(DiagnosticsError)
    /// Nothing that the run is made of differs.
    case unchanged
    /// It differs in what cannot change while the run lives, or is not applied; the run goes on with the one before.
    case refused(PipelineError)
    /// It could not be looked at or taken over; the run goes on with the one before.
    case failed(PipelineError)
    /// It holds now. Between the last batch of the old pipeline and the first of the new one were `pauseMilliseconds`; 0
    /// when no other pipeline was needed.
    case adopted(ConfigurationDifference, PlatformSettings, pauseMilliseconds: Int)

    /// The label of `streamplat_reloads_total`.
    var result: String {
        switch self {
        case .invalid: "invalid"
        case .unchanged: "unchanged"
        case .refused: "refused"
        case .failed: "failed"
        case .adopted: "ok"
        }
    }
}
