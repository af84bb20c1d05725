/// A stable name of one kind of finding, such as `SP2031`. Codes are never reused.
///
/// Ranges: 1xxx YAML, layers, secrets; 2xxx the domain model and expressions; 3xxx schemas, generation and ingest;
/// 4xxx plugins; 5xxx provisioning and queries; 6xxx the runtime and the event log. Each range is declared in its own
/// `DiagnosticCode+….swift`.
public struct DiagnosticCode: Hashable, Sendable {
    public let id: String
    /// What the code means in general, one sentence, for `docs/errors.md`.
    public let meaning: String

    public init(_ id: String, _ meaning: String) {
        self.id = id
        self.meaning = meaning
    }

    /// Every code there is, in order.
    public static let all: [DiagnosticCode] =
        configuration + model + schemas + plugins + provisioning + runtime
}
