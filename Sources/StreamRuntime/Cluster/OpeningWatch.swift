internal import Logging
internal import Synchronization

/// Looks after the cluster while this member's stores are being opened, which may take long: others must not wait for it.
/// Threads: one; ``isOver`` any.
final class OpeningWatch {
    /// What is opened is for a round that is over: its epoch must not be claimed any more.
    let isOver = Flag()
    private let session: ClusterSession
    private let control: RunControl
    /// Nil before a round that this member begins.
    private let round: Int64?
    /// The newest round when the opening began.
    private let newest: Int64?
    private var isHeldUp = false

    final class Flag: Sendable {
        private let value = Atomic<Bool>(false)
        func raise() { value.store(true, ordering: .releasing) }
        var isRaised: Bool { value.load(ordering: .acquiring) }
    }

    /// So long an opening may keep the others waiting: a server that was started again needs some seconds.
    private static let patienceMilliseconds: Int64 = 10_000

    init(_ session: ClusterSession, _ control: RunControl, round: Int64?) {
        self.session = session
        self.control = control
        self.round = round
        newest = session.view.round?.number
    }

    /// Looks once.
    func look(afterMilliseconds elapsed: Int64) {
        do { try session.poll { _ in } } catch { control.fail(error) }
        if isRoundOver {
            isOver.raise()
            // Whoever is held up goes on trying: it comes back when it can work.
            if !isHeldUp { control.fail(RoundOver("the round was over before the stores were open")) }
        }
        guard elapsed > Self.patienceMilliseconds, !isHeldUp else { return }
        isHeldUp = true
        session.updateSign { $0.isHeldUp = true }
        control.host.logger.warning("the stores do not open: the cluster goes on without this process until they do")
    }

    /// The stores are open, or will not be any more.
    func end() { if isHeldUp { session.updateSign { $0.isHeldUp = false } } }

    private var isRoundOver: Bool {
        let current = session.view.round
        return round == nil ? current?.number != newest : current?.number != round || current?.isOver == true
    }
}
