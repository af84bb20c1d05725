internal import Diagnostics
internal import SchemaStore

/// An answer that is no success: HTTP status, the registry's own code and a sentence.
struct RegistryFailure: Error {
    var status: Int
    var code: Int
    var message: String

    init(_ status: Int, _ code: Int, _ message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    init(_ refusal: SchemaRefusal) {
        let code: Int
        switch refusal {
        case .subjectNotFound: code = 40401
        case .versionNotFound: code = 40402
        case .schemaNotFound: code = 40403
        case .subjectDeleted: code = 40404
        case .subjectNotDeleted: code = 40405
        case .versionDeleted: code = 40406
        case .versionNotDeleted: code = 40407
        case .noLevel: code = 40408
        case .noMode: code = 40409
        case .incompatible: code = 409
        case .invalidSchema: code = 42201
        case .readOnly: code = 42205
        }
        self.init(code < 1000 ? code : code / 100, code, refusal.description)
    }

    init(_ error: any Error) {
        switch error {
        case let failure as RegistryFailure: self = failure
        case let refusal as SchemaRefusal: self.init(refusal)
        case let error as PipelineError:
            self.init(500, 50001, "Error in the backend data store: \(error.message)")
        default: self.init(500, 50001, "Error in the backend data store")
        }
    }

    static let notFound = RegistryFailure(404, 404, "HTTP 404 Not Found")
    static let methodNotAllowed = RegistryFailure(405, 405, "HTTP 405 Method Not Allowed")
}
