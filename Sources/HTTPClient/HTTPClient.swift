internal import CCurl
import Glibc

/// Sends HTTP requests over libcurl and keeps connections alive between them.
///
/// It speaks HTTP/1.1, `http` and `https` (TLS 1.2 and newer), and never follows a redirect: the answer 3xx is returned,
/// because a request's headers may hold credentials that are not meant for the place that the server names. Proxies come
/// from the environment (`http_proxy`, `https_proxy`, `no_proxy`), but never for this machine.
///
/// A request is sent once. Only where a server closed an idle connection just when it was used again may libcurl send it a
/// second time, and a `POST` or `PATCH` not even then.
///
/// Threads: one at a time; a call blocks until the answer is there.
public final class HTTPClient {
    private let handle: CurlHandle
    private let options: HTTPClientOptions
    private let hostsWithoutProxy: String

    /// Opens no connection and reads no file.
    public init(options: HTTPClientOptions = HTTPClientOptions()) throws(HTTPError) {
        handle = try CurlHandle()
        self.options = options
        let named = (getenv("no_proxy") ?? getenv("NO_PROXY")).map { String(cString: $0) } ?? ""
        hostsWithoutProxy = named == "*" ? named : "\(named),localhost,127.0.0.1,127.0.0.0/8,::1"
    }

    /// The server's whole answer, whatever its status.
    public func send(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse {
        guard let body = request.body else { return try perform(request, body: nil) }
        return try body.withUnsafeBytes { bytes in
            Result { () throws(HTTPError) in try perform(request, body: bytes) }
        }.get()
    }

    /// The same with a body that is not copied, in place of the request's own.
    public func send(_ request: HTTPRequest, body: UnsafeRawBufferPointer) throws(HTTPError) -> HTTPResponse {
        try perform(request, body: body)
    }

    private func perform(_ request: HTTPRequest, body: UnsafeRawBufferPointer?) throws(HTTPError) -> HTTPResponse {
        if let problem = request.problem { throw HTTPError(.invalid, problem, requestMayHaveBeenProcessed: false) }
        let exchange = HTTPExchange(
            byteLimit: options.responseByteLimit, requestBody: body ?? UnsafeRawBufferPointer(start: nil, count: 0))
        let context = Unmanaged.passUnretained(exchange).toOpaque()
        let headers = try CurlHeaderList(request.headers)
        try handle.reset()
        try setConnection()
        try handle.set(CURLOPT_URL, request.url)
        try handle.set(CURLOPT_HTTPHEADER, pointer: headers.first)
        try setMethod(request.method, body: body, context: context)
        try handle.set(CURLOPT_WRITEFUNCTION, function: receiveBody)
        try handle.set(CURLOPT_WRITEDATA, pointer: context)
        try handle.set(CURLOPT_HEADERFUNCTION, function: receiveHeader)
        try handle.set(CURLOPT_HEADERDATA, pointer: context)
        let code = withExtendedLifetime(exchange) { handle.perform() }
        guard code == CURLE_OK else { throw error(code, exchange, request) }
        // libcurl takes an answer that ends between two headers for a whole one without a body.
        let status = handle.long(CURLINFO_RESPONSE_CODE)
        guard exchange.hasAllHeaders, status >= 200 else {
            throw HTTPError(
                .cut, "the connection was lost between the headers of the answer", requestMayHaveBeenProcessed: true)
        }
        return exchange.finish(status: status)
    }

    private func setConnection() throws(HTTPError) {
        // Without it libcurl may use SIGALRM, which belongs to the program.
        try handle.set(CURLOPT_NOSIGNAL, 1)
        try handle.set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        try handle.set(CURLOPT_TCP_KEEPALIVE, 1)
        try handle.set(CURLOPT_USERAGENT, "streamplat")
        try handle.set(CURLOPT_NOPROXY, hostsWithoutProxy)
        try handle.set(CURLOPT_CONNECTTIMEOUT_MS, options.connectTimeoutMilliseconds)
        try handle.set(CURLOPT_TIMEOUT_MS, options.timeoutMilliseconds)
        try handle.set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        try handle.set(CURLOPT_SSL_VERIFYPEER, options.verifiesPeer ? 1 : 0)
        try handle.set(CURLOPT_SSL_VERIFYHOST, options.verifiesPeer ? 2 : 0)
        if let file = options.certificateAuthorityFile { try handle.set(CURLOPT_CAINFO, file) }
        if let file = options.clientCertificateFile { try handle.set(CURLOPT_SSLCERT, file) }
        if let file = options.clientKeyFile { try handle.set(CURLOPT_SSLKEY, file) }
    }

    private func setMethod(
        _ method: String, body: UnsafeRawBufferPointer?, context: UnsafeMutableRawPointer
    ) throws(HTTPError) {
        guard body != nil || ["POST", "PUT", "PATCH"].contains(method) else {
            // NOBODY also says that none will come: with CUSTOMREQUEST alone libcurl would wait for a HEAD's body.
            try handle.set(method == "HEAD" ? CURLOPT_NOBODY : CURLOPT_HTTPGET, 1)
            if method != "HEAD" { try handle.set(CURLOPT_CUSTOMREQUEST, method) }
            return
        }
        let body = body ?? UnsafeRawBufferPointer(start: nil, count: 0)
        try handle.set(CURLOPT_POST, 1)
        try handle.set(CURLOPT_CUSTOMREQUEST, method)
        guard ["POST", "PATCH"].contains(method) else { return try handle.setBody(body) }
        // When a connection that was used before is lost without an answer, libcurl repeats the request, whatever its
        // method (Curl_retry_request in lib/transfer.c), although the server may have done the work. It cannot repeat
        // what comes from a read function, and does not for a connection that is new.
        if body.isEmpty {
            try handle.set(CURLOPT_FRESH_CONNECT, 1)
            try handle.setBody(body)
        } else {
            try handle.setBodySize(body.count)
            try handle.set(CURLOPT_READFUNCTION, function: sendBody)
            try handle.set(CURLOPT_READDATA, pointer: context)
        }
    }

    private func error(_ code: CURLcode, _ exchange: HTTPExchange, _ request: HTTPRequest) -> HTTPError {
        // Over all attempts: libcurl adds them up.
        let hasLeft = handle.long(CURLINFO_REQUEST_SIZE) > 0
        if let excess = exchange.excess {
            return HTTPError(.tooLarge, excess, requestMayHaveBeenProcessed: true)
        }
        var detail = handle.words(for: code)
        if let query = HTTPURL.query(of: request.url), !query.isEmpty { detail.replace(query, with: "…") }
        for header in request.headers where header.isSecret {
            header.withValue { if !$0.isEmpty { detail.replace($0, with: "***") } }
        }
        return HTTPError(
            HTTPError.kind(of: code, requestHasLeft: hasLeft), detail, requestMayHaveBeenProcessed: hasLeft)
    }
}
