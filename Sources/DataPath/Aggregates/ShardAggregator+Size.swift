extension ShardAggregator {
    /// Windows that hold groups here and have not been taken as closed; of sessions, the groups' fragments. Takes time with
    /// the number of panes.
    public var openWindows: Int {
        if calendar.kind == .session { return openGroups }
        var count = 0
        // Panes are sorted, so the windows of one begin where those of the last one ended, or later.
        var next = closedBefore
        for pane in panes {
            let first = max(pane.key.firstWindow, next)
            let last = calendar.lastWindow(ofPane: pane.key.start)
            guard first <= last else { continue }
            count += Int((last - first) / calendar.slideMilliseconds) + 1
            next = last + calendar.slideMilliseconds
        }
        return count
    }
}
