internal import CCurl
import Glibc

/// One easy handle of libcurl with its text of errors. It keeps connections, names and TLS sessions between transfers.
///
/// Threads: one at a time.
final class CurlHandle {
    private let handle: UnsafeMutableRawPointer
    private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    /// `curl_global_init` is called once in a process, by the first who looks; a global of Swift is initialised under a
    /// lock.
    private static let globalCode = sp_curl_global_init()

    init() throws(HTTPError) {
        guard Self.globalCode == CURLE_OK, let handle = curl_easy_init() else {
            errorText.deallocate()
            throw HTTPError(.other, "libcurl cannot be initialised", requestMayHaveBeenProcessed: false)
        }
        self.handle = handle
    }

    deinit {
        curl_easy_cleanup(handle)
        errorText.deallocate()
    }

    /// Forgets all options of the last transfer; connections stay.
    func reset() throws(HTTPError) {
        curl_easy_reset(handle)
        errorText.pointee = 0
        try check(sp_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText))
        try check(sp_curl_allow_http_only(handle))
    }

    func set(_ option: CURLoption, _ value: Int) throws(HTTPError) {
        try check(sp_curl_set_long(handle, option, value))
    }

    func set(_ option: CURLoption, _ value: String) throws(HTTPError) {
        try check(sp_curl_set_text(handle, option, value))
    }

    /// - Parameter pointer: Must live until the transfer ends.
    func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer?) throws(HTTPError) {
        try check(sp_curl_set_pointer(handle, option, pointer))
    }

    func set(_ option: CURLoption, function: sp_curl_data_function) throws(HTTPError) {
        try check(sp_curl_set_function(handle, option, function))
    }

    /// - Parameter body: Must live until the transfer ends.
    func setBody(_ body: UnsafeRawBufferPointer) throws(HTTPError) {
        // The error text is only an address here: libcurl reads none of it.
        try check(sp_curl_set_body(handle, body.baseAddress ?? UnsafeRawPointer(errorText), curl_off_t(body.count)))
    }

    func setBodySize(_ count: Int) throws(HTTPError) {
        try check(sp_curl_set_body_size(handle, curl_off_t(count)))
    }

    /// Blocks until the transfer ends.
    func perform() -> CURLcode { curl_easy_perform(handle) }

    func long(_ info: CURLINFO) -> Int {
        var value = 0
        return sp_curl_get_long(handle, info, &value) == CURLE_OK ? value : 0
    }

    /// What libcurl says about the code.
    func words(for code: CURLcode) -> String {
        let detail = String(cString: errorText)
        return detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
    }

    private func check(_ code: CURLcode) throws(HTTPError) {
        guard code != CURLE_OK else { return }
        throw HTTPError(
            .other, "libcurl refuses an option: \(String(cString: curl_easy_strerror(code)))",
            requestMayHaveBeenProcessed: false)
    }
}

/// Header lines as libcurl takes them.
struct CurlHeaderList: ~Copyable {
    private(set) var first: UnsafeMutablePointer<curl_slist>?

    init(_ headers: [HTTPHeader]) throws(HTTPError) {
        let names = Set(headers.map { $0.name.lowercased() })
        // Without a value libcurl leaves its own header out: it would wait a second for "100 Continue" before a large
        // body, and call each body a form.
        var lines = ["expect", "content-type"].filter { !names.contains($0) }.map { "\($0):" }
        for header in headers {
            header.withValue { lines.append($0.isEmpty ? "\(header.name);" : "\(header.name): \($0)") }
        }
        for line in lines {
            guard let extended = curl_slist_append(first, line) else {
                curl_slist_free_all(first)
                first = nil
                throw HTTPError(.other, "out of memory", requestMayHaveBeenProcessed: false)
            }
            first = extended
        }
    }

    deinit { curl_slist_free_all(first) }
}
