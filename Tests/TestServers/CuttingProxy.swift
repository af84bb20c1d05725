internal import Foundation

/// A TCP proxy on loopback that can cut connections at a chosen moment.
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
    public let port: Int
    /// How many connections were cut.
    public var cuts: Int { lock.withLock { cutCount } }

    private let lock = NSLock()
    private var pattern: [UInt8]?
    private var isStalling = false
    private var cutCount = 0
    private let listener: Int32
    private let target: Int

    public init(to target: Int) throws {
        self.target = target
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
        Thread.detachNewThread { connection.copy(from: server, to: client) { _ in .go } }
        Thread.detachNewThread { [self] in
            // The bytes may come in pieces: the end of what came before is looked at too.
            var recent: [UInt8] = []
            connection.copy(from: client, to: server) { bytes in
                lock.withLock {
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

    private enum Step { case go, cut, stall }

    private final class Connection: @unchecked Sendable {
        private let sockets: [Int32]

        init(_ client: Int32, _ server: Int32) { sockets = [client, server] }

        deinit { for socket in sockets { close(socket) } }

        /// Copies until the end; `next` says for each run of bytes how to go on.
        func copy(from: Int32, to: Int32, next: ([UInt8]) -> Step) {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = recv(from, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                let step = next(Array(buffer[..<count]))
                if step == .stall {
                    while recv(from, &buffer, buffer.count, 0) > 0 {}
                    break
                }
                // The client is cut off before its bytes are passed on.
                if step == .cut { shutdown(from, Int32(SHUT_RDWR)) }
                var sent = 0
                while sent < count {
                    let length = buffer[sent..<count].withUnsafeBytes {
                        send(to, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                    }
                    guard length > 0 else { break }
                    sent += length
                }
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
