internal import Foundation

/// A server on loopback that reads what a client sends first, answers always the same, and then stays silent or leaves.
public final class FixedAnswerServer: @unchecked Sendable {
    public let port: Int
    private let listener: Int32

    /// An empty answer: the server takes connections and never says anything.
    public init(answer: [UInt8], closes: Bool = false) throws {
        (listener, port) = try LocalServer.listen()
        let listener = listener
        Thread.detachNewThread {
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                Thread.detachNewThread {
                    defer { close(client) }
                    var buffer = [UInt8](repeating: 0, count: 4096)
                    guard recv(client, &buffer, buffer.count, 0) > 0 else { return }
                    if !answer.isEmpty { send(client, answer, answer.count, Int32(MSG_NOSIGNAL)) }
                    if closes { return }
                    while recv(client, &buffer, buffer.count, 0) > 0 {}
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}
