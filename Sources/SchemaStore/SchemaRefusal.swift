public import Diagnostics

/// Why the store does not do what it was asked for: nothing is broken.
public enum SchemaRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    case subjectNotFound(String)
    case subjectDeleted(String)
    /// A permanent deletion takes a soft one first.
    case subjectNotDeleted(String)
    case versionNotFound(Int)
    case versionDeleted(subject: String, version: Int)
    case versionNotDeleted(subject: String, version: Int)
    case schemaNotFound
    /// The text is no valid Avro schema, or holds what is not supported.
    case invalidSchema(String)
    case incompatible([String])
    case readOnly(subject: String)
    case noLevel(subject: String)
    case noMode(subject: String)

    public var description: String {
        switch self {
        case .subjectNotFound(let subject): "Subject '\(subject)' not found."
        case .subjectDeleted(let subject):
            "Subject '\(subject)' was soft deleted. Set permanent=true to delete permanently."
        case .subjectNotDeleted(let subject):
            "Subject '\(subject)' was not deleted first before being permanently deleted."
        case .versionNotFound(let version): "Version \(version) not found."
        case .versionDeleted(let subject, let version):
            "Subject '\(subject)' version \(version) was soft deleted. Set permanent=true to delete permanently."
        case .versionNotDeleted(let subject, let version):
            "Subject '\(subject)' version \(version) was not deleted first before being permanently deleted."
        case .schemaNotFound: "Schema not found."
        case .invalidSchema(let reason): "Invalid schema: \(reason)"
        case .incompatible(let reasons):
            "Schema being registered is incompatible with an earlier schema: " + reasons.joined(separator: " | ")
        case .readOnly(let subject): "Subject '\(subject)' is in read-only mode."
        case .noLevel(let subject):
            "Subject '\(subject)' does not have subject-level compatibility configured."
        case .noMode(let subject): "Subject '\(subject)' does not have subject-level mode configured."
        }
    }

    /// The refusal as the failure of an operation on a subject.
    public func pipelineError(subject: String) -> PipelineError {
        let component = "schema registry, subject \(subject)"
        switch self {
        case .incompatible(let reasons):
            return PipelineError(
                .schemaIncompatible, reasons.joined(separator: "\n"),
                hint: "follow the suggestions, use a new topic, or set another level in schemas.compatibility",
                component: component)
        case .readOnly:
            return PipelineError(
                .subjectReadOnly, description, hint: "set the mode of the registry to READWRITE", component: component)
        default: return PipelineError(.schemaNotAccepted, description, component: component)
        }
    }
}
