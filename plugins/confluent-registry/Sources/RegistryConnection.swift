import Diagnostics
import Glibc
import HTTPClient
import PluginAPI
import Synchronization

/// Asks the registry's servers: the one that answered last first, the others when it does not. Threads: any; requests
/// wait for each other.
final class RegistryConnection: Sendable {
    private struct State {
        var client: HTTPClient
        /// The server that answered last.
        var preferred = 0
    }

    private static let contentType = "application/vnd.schemaregistry.v1+json"
    private static let component = "schema registry"
    private static let credentials = ["username", "password", "token"]

    private let urls: [String]
    private let authorization: HTTPHeader?
    private let state: Mutex<State>

    init(urls: [String], authorization: HTTPHeader?, options: HTTPClientOptions) throws {
        self.urls = urls
        self.authorization = authorization
        do {
            state = Mutex(State(client: try HTTPClient(options: options)))
        } catch {
            throw PipelineError(.registryUnreachable, error.detail, component: Self.component)
        }
    }

    /// The answer 2xx, or 404 that the registry itself gave (nil). Servers that do not answer or fail are asked again, all of
    /// them `rounds` times with pauses between; sending twice does no harm, because every request sets a state.
    func send(_ method: String, _ path: String, body: String? = nil, rounds: Int = 3) throws -> RegistryAnswer? {
        var failures: [String] = []
        var isSlow = false
        for round in 0..<rounds {
            if round > 0 { usleep(useconds_t(200_000 << (round - 1))) }
            failures = []
            isSlow = false
            let first = state.withLock { $0.preferred }
            for offset in urls.indices {
                let index = (first + offset) % urls.count
                switch exchange(method, path, body, index) {
                case .failure(let error):
                    if error.kind == .invalid {
                        throw PipelineError(
                            .registryOptions, "\(urls[index]): \(error.detail)", hint: "check 'urls'",
                            component: Self.component)
                    }
                    failures.append("\(urls[index]): \(error.detail)")
                    isSlow = isSlow || error.kind == .timeout
                case .success(let response) where response.status >= 500 || response.status == 429:
                    failures.append("\(urls[index]): \(RegistryAnswer(response).sentence)")
                case .success(let response):
                    state.withLock { $0.preferred = index }
                    return try judged(RegistryAnswer(response), server: urls[index])
                }
            }
        }
        throw PipelineError(
            .registryUnreachable, failures.joined(separator: "; "),
            hint: "check that the registry runs and that 'urls' names it"
                + (isSlow ? "; 'timeout' says how long to wait" : ""), component: Self.component, retry: .backoff)
    }

    private func exchange(
        _ method: String, _ path: String, _ body: String?, _ index: Int
    ) -> Result<HTTPResponse, HTTPError> {
        var headers = [HTTPHeader("Accept", "\(Self.contentType), application/json")]
        if body != nil { headers.append(HTTPHeader("Content-Type", Self.contentType)) }
        if let authorization { headers.append(authorization) }
        let request = HTTPRequest(
            method: method, url: urls[index] + path, headers: headers, body: body.map { Array($0.utf8) })
        return state.withLock { state in
            do throws(HTTPError) {
                return .success(try state.client.send(request))
            } catch {
                return .failure(error)
            }
        }
    }

    private func judged(_ answer: RegistryAnswer, server: String) throws -> RegistryAnswer? {
        func error(
            _ code: DiagnosticCode, _ message: String, hint: String? = nil, options: [String] = []
        ) -> PipelineError {
            PipelineError(code, message, hint: hint, component: Self.component, options: options)
        }
        switch (answer.status, answer.code) {
        case (200..<300, _): return answer
        case (404, let code?) where code > 404: return nil
        case (401, _):
            throw error(
                .registryCredentials, "\(server) does not accept the credentials (\(answer.sentence))",
                hint: authorization == nil
                    ? "it wants credentials: set 'username' and 'password', or 'token'"
                    : "check 'username' and 'password', or 'token'", options: Self.credentials)
        case (403, _):
            throw error(
                .registryCredentials, "\(server) does not allow it (\(answer.sentence))",
                hint: "ask for the right to read and write these subjects", options: Self.credentials)
        case (409, _):
            throw error(
                .schemaIncompatible, answer.sentence,
                hint: "follow the reasons, use a new topic, or set another level in schemas.compatibility")
        case (422, 42205?): throw error(.subjectReadOnly, answer.sentence)
        case (422, 42201?): throw error(.schemaNotAccepted, answer.sentence)
        case (300..<400, _):
            throw error(
                .registryAnswer, "\(server) sends elsewhere (status \(answer.status)), which is not followed",
                hint: "set 'urls' to the registry's own address")
        default:
            throw error(
                .registryAnswer, "\(server) refuses the request: \(answer.sentence)",
                hint: "check that 'urls' names a schema registry")
        }
    }

    /// What was answered is not what was expected.
    func notUnderstood(_ what: String) -> PipelineError {
        PipelineError(
            .registryAnswer, "the answer of \(urls[state.withLock { $0.preferred }]) holds no \(what)",
            hint: "check that 'urls' names a schema registry", component: Self.component)
    }
}
