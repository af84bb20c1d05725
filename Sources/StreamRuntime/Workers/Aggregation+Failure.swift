internal import DataPath
internal import Diagnostics
internal import PlatformModel

extension Aggregation {
    /// An error of the engine as one of this aggregation.
    func failure(_ error: AggregationError) -> PipelineError {
        var hint: String?
        if case .overflow = error {
            hint = "a decimal field has room for 38 digits: declare the field as decimal(38,0) to sum larger numbers"
        }
        if case .memoryLimit = error {
            return PipelineError(
                error.code, error.description,
                hint:
                    "the last checkpoint is sound: with a higher runtime.memory_limit the next run goes on from it and "
                    + "loses nothing. Fewer groups are open with shorter windows, fewer columns in group_by, or less "
                    + "allowed_lateness and watermark_delay")
        }
        return PipelineError(
            error.code, error.description, hint: hint, component: "aggregation '\(name)' (\(location.text))")
    }
}

extension AggregationError {
    var code: DiagnosticCode {
        switch self {
        case .unsupported: .measureUnsupported
        case .invalidWindow: .windowRefused
        case .missingColumn: .inputColumnMissing
        case .wrongLayout: .inputLayoutWrong
        case .overflow: .aggregateOverflow
        case .otherState: .stateOfOther
        case .corruptState: .stateDamaged
        case .memoryLimit: .memoryLimit
        }
    }
}
