internal import Diagnostics
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// A small HTTP/1.1 server for what streamplat shows about itself: plain text, keep-alive, no TLS.
///
/// What is no HTTP is answered with 400, a body that is too long with 413, and the connection is closed. Order of calls:
/// `start`, then `stop`, once each. Threads: `start` and `stop` block and must not be called from async code; the handler
/// is called on threads of the server's own, several at a time.
public final class HTTPServer: Sendable {
    private struct TooManyConnections: Error {}

    private struct State {
        var group: MultiThreadedEventLoopGroup?
        var pool: NIOThreadPool?
        var listener: (any Channel)?
        var connections: [ObjectIdentifier: any Channel] = [:]
    }

    private let options: HTTPServerOptions
    private let handler: @Sendable (HTTPServerRequest) -> HTTPServerResponse
    private let state = Mutex(State())

    public init(
        options: HTTPServerOptions = HTTPServerOptions(),
        handler: @escaping @Sendable (HTTPServerRequest) -> HTTPServerResponse
    ) {
        self.options = options
        self.handler = handler
    }

    /// Listens; gives the port. Throws ``PipelineError`` with exit code 3 when the address cannot be had.
    public func start() throws -> Int {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let pool = NIOThreadPool(numberOfThreads: max(1, options.handlerThreads))
        pool.start()
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.backlog, value: 128)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try addConnection(channel, pool: pool) }
            }
            .childChannelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
        do {
            let listener = try bootstrap.bind(host: options.host, port: options.port).wait()
            state.withLock {
                ($0.group, $0.pool, $0.listener) = (group, pool, listener)
            }
            return listener.localAddress?.port ?? options.port
        } catch {
            try pool.syncShutdownGracefully()
            try group.syncShutdownGracefully()
            throw PipelineError(
                .serverCannotListen, "cannot listen at \(options.host), port \(options.port): \(Self.reason(error))",
                hint: "choose a port that is free and that this user may use, and an address of this machine",
                component: "http server", exitCode: 3)
        }
    }

    /// Stops listening, lets requests that are being answered end for at most `graceMilliseconds`, and closes everything.
    public func stop(graceMilliseconds: Int = 5000) throws {
        let (group, pool, listener) = state.withLock { state in
            defer { (state.group, state.pool, state.listener) = (nil, nil, nil) }
            return (state.group, state.pool, state.listener)
        }
        guard let group, let pool else { return }
        try listener?.close().wait()
        // A connection that was accepted in this moment is here too: both happen on the one event loop.
        let open = state.withLock { Array($0.connections.values) }
        for channel in open { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
        let loop = group.any()
        let deadline = loop.scheduleTask(in: .milliseconds(Int64(graceMilliseconds))) {
            for channel in open { channel.close(promise: nil) }
        }
        try EventLoopFuture.andAllComplete(open.map(\.closeFuture), on: loop).wait()
        deadline.cancel()
        try pool.syncShutdownGracefully()
        try group.syncShutdownGracefully()
    }

    /// On the event loop of the connection.
    private func addConnection(_ channel: any Channel, pool: NIOThreadPool) throws {
        let id = ObjectIdentifier(channel)
        let isTaken = state.withLock { state in
            guard state.connections.count < options.connectionLimit else { return false }
            state.connections[id] = channel
            return true
        }
        guard isTaken else { throw TooManyConnections() }
        channel.closeFuture.whenComplete { [self] _ in state.withLock { _ = $0.connections.removeValue(forKey: id) } }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(IdleStateHandler(readTimeout: .seconds(Int64(options.idleSeconds))))
        try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: true, withErrorHandling: true)
        try pipeline.addHandler(NIOHTTPServerRequestAggregator(maxContentLength: options.bodyByteLimit))
        try pipeline.addHandler(ExchangeHandler(pool: pool, handler: handler))
    }

    /// Only what the system says: NIO's own descriptions hold much besides.
    private static func reason(_ error: any Error) -> String {
        guard let error = error as? IOError else { return "\(error)" }
        return String(cString: strerror(error.errnoCode))
    }
}
