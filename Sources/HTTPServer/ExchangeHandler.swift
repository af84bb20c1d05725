internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Takes whole requests of one connection, one after the other, and writes their answers. Threads: its event loop; the
/// handler runs on the pool.
final class ExchangeHandler: ChannelInboundHandler {
    typealias InboundIn = NIOHTTPServerRequestFull
    typealias OutboundOut = HTTPServerResponsePart

    private let pool: NIOThreadPool
    private let handler: @Sendable (HTTPServerRequest) -> HTTPServerResponse
    private var isBusy = false

    init(pool: NIOThreadPool, handler: @escaping @Sendable (HTTPServerRequest) -> HTTPServerResponse) {
        self.pool = pool
        self.handler = handler
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let full = unwrapInboundIn(data)
        let method = full.head.method.rawValue
        guard
            let request = HTTPServerRequest(
                method: method, target: full.head.uri, headers: full.head.headers.map { ($0.name, $0.value) },
                body: full.body.map { Array($0.readableBytesView) } ?? [])
        else {
            let answer = HTTPServerResponse(
                status: 400, contentType: "text/plain; charset=utf-8", text: "the request's target is not valid\n")
            respond(context, answer, isHead: method == "HEAD", isKeptAlive: false)
            return
        }
        isBusy = true
        let isKeptAlive = full.head.isKeepAlive
        let here = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        pool.runIfActive(eventLoop: context.eventLoop) { [handler] in handler(request) }.whenComplete { result in
            let (exchange, context) = here.value
            exchange.isBusy = false
            switch result {
            case .success(let response):
                exchange.respond(context, response, isHead: method == "HEAD", isKeptAlive: isKeptAlive)
            // The pool has been stopped: nobody can answer any more.
            case .failure: context.close(promise: nil)
            }
        }
    }

    private func respond(
        _ context: ChannelHandlerContext, _ response: HTTPServerResponse, isHead: Bool, isKeptAlive: Bool
    ) {
        var headers = HTTPHeaders(response.headers.map { ($0.name, $0.value) })
        if response.status != 204, response.status != 304 {
            headers.replaceOrAdd(name: "Content-Length", value: String(response.body.count))
        }
        if !isKeptAlive { headers.replaceOrAdd(name: "Connection", value: "close") }
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: response.status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !isHead, !response.body.isEmpty {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: response.body)))), promise: nil)
        }
        let isWritten = context.eventLoop.makePromise(of: Void.self)
        if !isKeptAlive {
            let here = NIOLoopBound(context, eventLoop: context.eventLoop)
            isWritten.futureResult.whenComplete { _ in here.value.close(promise: nil) }
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: isWritten)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent, !isBusy {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// The peer went away or sent what is no HTTP (which was answered already): nothing more to say.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
