/// One answer while it comes, and how far the request's body has been read. libcurl's functions get it as their context.
///
/// Threads: libcurl calls them on the thread that performs the transfer, never after it.
final class HTTPExchange {
    private(set) var response = HTTPResponse(status: 0)
    /// Whether the empty line after the headers of the answer itself has come.
    private(set) var hasAllHeaders = false
    /// What was longer than it may be.
    private(set) var excess: String?
    private let byteLimit: Int
    private let requestBody: UnsafeRawBufferPointer
    private var requestPosition = 0
    private var headerBytes = 0
    /// Below the 300 kB of newer versions of libcurl, whose error would be another; older ones have no limit for all.
    private static let headerByteLimit = 256 << 10

    /// - Parameter requestBody: Must live until the transfer ends.
    init(byteLimit: Int, requestBody: UnsafeRawBufferPointer) {
        self.byteLimit = byteLimit
        self.requestBody = requestBody
    }

    /// Takes a part of the body; false when it would be too long.
    func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= byteLimit - response.body.count else {
            excess = "the answer is longer than \(byteLimit) bytes"
            return false
        }
        response.body.append(contentsOf: bytes)
        return true
    }

    /// Takes a status line, a header, or the empty line after them; false when there are too many.
    func appendHeader(_ bytes: UnsafeRawBufferPointer) -> Bool {
        headerBytes += bytes.count
        guard headerBytes <= Self.headerByteLimit else {
            excess = "the headers of the answer are longer than \(Self.headerByteLimit) bytes"
            return false
        }
        let line = String(decoding: bytes, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            // An interim answer (100, or a proxy's to CONNECT) comes before the answer.
            response.headers = []
            hasAllHeaders = false
        } else if bytes.elementsEqual("\r\n".utf8) || bytes.elementsEqual("\n".utf8) {
            hasAllHeaders = true
        } else if let colon = line.firstIndex(of: ":") {
            response.headers.append(
                (name: trimmed(line[..<colon]), value: trimmed(line[line.index(after: colon)...])))
        }
        return true
    }

    /// Gives the next part of the request's body; its length, 0 at the end.
    func readBody(into target: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(target.count, requestBody.count - requestPosition)
        target.copyMemory(
            from: UnsafeRawBufferPointer(rebasing: requestBody[requestPosition..<requestPosition + count]))
        requestPosition += count
        return count
    }

    func finish(status: Int) -> HTTPResponse {
        response.status = status
        return response
    }

    private func trimmed(_ text: Substring) -> String {
        let isBlank = { (character: Character) in character.isWhitespace || character.isNewline }
        let rest = text.drop(while: isBlank)
        guard let last = rest.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(rest[...last])
    }
}

/// libcurl's write function. A result other than the count ends the transfer.
func receiveBody(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?)
    -> Int
{
    guard let context else { return 0 }
    let exchange = Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
    return exchange.append(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
}

/// libcurl's header function, called once for each line.
func receiveHeader(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let context else { return 0 }
    let exchange = Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
    return exchange.appendHeader(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
}

/// libcurl's read function.
func sendBody(_ target: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?)
    -> Int
{
    guard let context else { return 0 }
    let exchange = Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
    return exchange.readBody(into: UnsafeMutableRawBufferPointer(start: target, count: size * count))
}
