internal import Foundation

/// A TCP proxy on loopback that can cut connections at a chosen moment, and be slow.
///
/// Every connection has two threads, one for each direction, until either side ends it or it is cut.
public final class CuttingProxy: @unchecked Sendable {
    /// When the connection is cut: after the client has sent these bytes, which the server still gets. Its answer to
    /// them gets lost. Used up by the first cut.
    public var cutAfter: [UInt8]? {
        get { lock.withLock { pattern } }
        set { lock.withLock { pattern = newValue } }
    }
    /// A connection is not cut at that moment: nothing of the client is passed on any more.
    public var stalls: Bool {
        get { lock.withLock { isStalling } }
        set { lock.withLock { isStalling = newValue } }
    }
    /// A connection is also cut in the middle of whatever goes over it, after so many bytes of both directions and of
    /// all connections together; then the next number counts.
    public var cutAfterBytes: [Int] {
        get { lock.withLock { byteLimits } }
        set { lock.withLock { (byteLimits, byteCount) = (newValue, 0) } }
    }
    /// How long every piece of what is sent waits, in either direction.
    public var delayMilliseconds: UInt32 {
        get { lock.withLock { delay } }
        set { lock.withLock { delay = newValue } }
    }
    /// New connections are closed at once; those that stand go on.
    public var refuses: Bool {
        get { lock.withLock { isRefusing } }
        set { lock.withLock { isRefusing = newValue } }
    }
    /// Kafka's brokers tell clients where they are: the proxy tells its own port instead.
    public let rewritesKafkaPort: Bool
    public let port: Int
    /// How many connections were cut.
    public var cuts: Int { lock.withLock { cutCount } }

    private let lock = NSLock()
    private var pattern: [UInt8]?
    private var isStalling = false
    private var isRefusing = false
    private var cutCount = 0
    private var byteLimits: [Int] = []
    private var byteCount = 0
    private var delay: UInt32 = 0
    private let listener: Int32
    private let target: Int

    public init(to target: Int, rewritesKafkaPort: Bool = false) throws {
        self.target = target
        self.rewritesKafkaPort = rewritesKafkaPort
        (listener, port) = try LocalServer.listen()
        let listener = listener
        Thread.detachNewThread { [weak self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                guard let self else {
                    close(client)
                    return
                }
                guard !self.refuses else {
                    close(client)
                    continue
                }
                self.serve(client)
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func serve(_ client: Int32) {
        guard let server = LocalServer.connect(port: target) else {
            close(client)
            return
        }
        let connection = Connection(client, server)
        Thread.detachNewThread { [self] in
            connection.copy(from: server, to: client) { bytes in
                if rewritesKafkaPort { rewriteKafkaPort(&bytes) }
                return limit(&bytes)
            }
        }
        Thread.detachNewThread { [self] in
            // The bytes may come in pieces: the end of what came before is looked at too.
            var recent: [UInt8] = []
            connection.copy(from: client, to: server) { bytes in
                let step = limit(&bytes)
                guard step == .go else { return step }
                return lock.withLock {
                    // What came before the pattern was set does not count.
                    guard let wanted = pattern else {
                        recent = []
                        return .go
                    }
                    recent += bytes
                    guard recent.contains(wanted) else {
                        recent = Array(recent.suffix(64))
                        return .go
                    }
                    pattern = nil
                    cutCount += 1
                    return isStalling ? .stall : .cut
                }
            }
        }
    }

    /// Waits as long as it is told to, and leaves of the bytes what comes before the cut.
    private func limit(_ bytes: inout [UInt8]) -> Step {
        usleep(delayMilliseconds * 1000)
        return lock.withLock {
            byteCount += bytes.count
            guard let limit = byteLimits.first, byteCount >= limit else { return .go }
            bytes.removeLast(min(bytes.count, byteCount - limit))
            byteLimits.removeFirst()
            (byteCount, cutCount) = (0, cutCount + 1)
            return .end
        }
    }

    /// An address in Kafka's protocol is the host, its length before it, and four bytes of the port.
    private func rewriteKafkaPort(_ bytes: inout [UInt8]) {
        let host = Array("127.0.0.1".utf8)
        func address(_ port: Int) -> [UInt8] { host + [0, 0, UInt8(port >> 8), UInt8(port & 0xFF)] }
        let (old, new) = (address(target), address(port))
        var index = 0
        while index + old.count <= bytes.count {
            guard bytes[index] == old[0], bytes[index..<index + old.count].elementsEqual(old) else {
                index += 1
                continue
            }
            bytes.replaceSubrange(index..<index + old.count, with: new)
            index += old.count
        }
    }

    private enum Step { case go, cut, stall, end }

    private final class Connection: @unchecked Sendable {
        private let sockets: [Int32]

        init(_ client: Int32, _ server: Int32) { sockets = [client, server] }

        deinit { for socket in sockets { close(socket) } }

        /// Copies until the end; `next` says for each run of bytes how to go on.
        func copy(from: Int32, to: Int32, next: (inout [UInt8]) -> Step) {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = recv(from, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                var bytes = Array(buffer[..<count])
                let step = next(&bytes)
                if step == .stall {
                    while recv(from, &buffer, buffer.count, 0) > 0 {}
                    break
                }
                // The client is cut off before its bytes are passed on.
                if step == .cut { shutdown(from, Int32(SHUT_RDWR)) }
                var sent = 0
                while sent < bytes.count {
                    let length = bytes[sent...].withUnsafeBytes {
                        send(to, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                    }
                    guard length > 0 else { break }
                    sent += length
                }
                if step == .end { break }
                // The server gets what was sent and has time to do it before it sees the end.
                if step == .cut {
                    usleep(300_000)
                    break
                }
            }
            for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }
}

extension [UInt8] {
    fileprivate func contains(_ part: [UInt8]) -> Bool {
        guard !part.isEmpty, count >= part.count else { return false }
        return (0...(count - part.count)).contains { start in
            self[start..<start + part.count].elementsEqual(part)
        }
    }
}
