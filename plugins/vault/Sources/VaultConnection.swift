import Diagnostics
import Foundation
import HTTPClient
import PluginAPI

/// Sends requests of Vault's API, version 1. Threads: one at a time.
final class VaultConnection {
    private let client: HTTPClient
    private let address: String
    private let namespace: String?

    init(_ settings: VaultSettings) throws(HTTPError) {
        client = try HTTPClient(options: settings.http)
        address = settings.address
        namespace = settings.namespace
    }

    /// The answer to a request that succeeded (200, 204).
    ///
    /// - Parameters:
    ///   - path: After `/v1/`, escaped.
    ///   - fields: Sent as a JSON object; nil = GET without a body.
    func send(_ path: String, token: Secret?, fields: [String: Secret]? = nil) throws(VaultFailure) -> VaultAnswer {
        var headers = [HTTPHeader("X-Vault-Request", "true")]
        if let token { headers.append(HTTPHeader("X-Vault-Token", secret: token)) }
        if let namespace { headers.append(HTTPHeader("X-Vault-Namespace", namespace)) }
        if fields != nil { headers.append(HTTPHeader("Content-Type", "application/json")) }
        let response: HTTPResponse
        do throws(HTTPError) {
            response = try client.send(
                HTTPRequest(
                    method: fields == nil ? "GET" : "POST", url: "\(address)/v1/\(path)", headers: headers,
                    body: fields.map(Self.body)))
        } catch {
            throw .transport(error)
        }
        let answer = VaultAnswer(response.body)
        switch response.status {
        case 204: return VaultAnswer()
        case 200:
            guard let answer else { throw .malformed(status: 200) }
            return answer
        default:
            let secrets = (fields.map { Array($0.values) } ?? []) + [token].compactMap { $0 }
            throw VaultFailure(response, answer, words: Self.words(answer, without: secrets))
        }
    }

    /// Whether the server is there and who it says it is; it asks no token.
    func health() throws(VaultFailure) -> (version: String, isStandby: Bool) {
        let response: HTTPResponse
        do throws(HTTPError) {
            // Nodes that stand by answer too; the query makes their status that of an active one.
            response = try client.send(
                HTTPRequest(url: "\(address)/v1/sys/health?standbyok=true&perfstandbyok=true"))
        } catch {
            throw .transport(error)
        }
        guard let facts = try? JSONDecoder().decode(VaultValue.self, from: Data(response.body)),
            let version = facts["version"]?.string
        else { throw .malformed(status: response.status) }
        if facts["initialized"]?.boolean == false { throw .notInitialized }
        if facts["sealed"]?.boolean == true { throw .sealed }
        guard response.status == 200 else { throw .unavailable(status: response.status, words: "") }
        return (version, facts["standby"]?.boolean == true)
    }

    private static func body(_ fields: [String: Secret]) -> [UInt8] {
        let pairs = fields.sorted { $0.key < $1.key }.map { key, value in
            value.withValue { "\(JSONValue.quoted(key)):\(JSONValue.quoted($0))" }
        }
        return Array("{\(pairs.joined(separator: ","))}".utf8)
    }

    /// The server's own words on one line, at most 200 characters, without what was sent.
    private static func words(_ answer: VaultAnswer?, without secrets: [Secret]) -> String {
        var words = (answer?.errors ?? []).joined(separator: "; ")
        for secret in secrets { secret.withValue { if $0.count > 3 { words.replace($0, with: "***") } } }
        let line = words.split { $0.isWhitespace || $0.isNewline }.joined(separator: " ")
        return line.count <= 200 ? line : "\(line.prefix(200))…"
    }
}
