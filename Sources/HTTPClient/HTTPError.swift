internal import CCurl

/// Why there is no whole answer.
public struct HTTPError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// The host's name has no address.
        case unresolved
        /// Nobody listens there, or the way there is closed.
        case refused
        case timeout
        /// No secure connection: a wrong or unknown certificate, an unreadable CA file, a server that speaks no TLS.
        case tls
        /// The connection was lost, or something else than HTTP came, before the answer was whole.
        case cut
        /// The body is longer than ``HTTPClientOptions/responseByteLimit``, or the headers than 256 KiB.
        case tooLarge
        /// The request could not be sent as it is, such as a malformed URL.
        case invalid
        case other
    }

    public var kind: Kind
    /// libcurl's words, with host and port where they matter; no query, no secret.
    public var detail: String
    /// Whether a part of the request had left; if not, it can be sent again without doing something twice.
    public var requestMayHaveBeenProcessed: Bool

    public init(_ kind: Kind, _ detail: String, requestMayHaveBeenProcessed: Bool) {
        self.kind = kind
        self.detail = detail
        self.requestMayHaveBeenProcessed = requestMayHaveBeenProcessed
    }

    public var description: String { detail }

    /// The one place that maps libcurl's codes.
    static func kind(of code: CURLcode, requestHasLeft: Bool) -> Kind {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .unresolved
        case CURLE_COULDNT_CONNECT: .refused
        case CURLE_OPERATION_TIMEDOUT: .timeout
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_PEER_FAILED_VERIFICATION,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS,
            CURLE_SSL_CLIENTCERT, CURLE_SSL_ENGINE_INITFAILED:
            .tls
        case CURLE_URL_MALFORMAT: .invalid
        // Before sending: a scheme that is not HTTP. Afterwards: an answer without a status line.
        case CURLE_UNSUPPORTED_PROTOCOL: requestHasLeft ? .cut : .invalid
        // SEND_FAIL_REWIND: the connection was lost, and libcurl would have repeated the request if it could.
        case CURLE_WEIRD_SERVER_REPLY, CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR,
            CURLE_SEND_FAIL_REWIND, CURLE_BAD_CONTENT_ENCODING:
            .cut
        default: .other
        }
    }
}
