extension ShardAggregator {
    /// Windows that hold groups here and have not been taken as closed; of sessions, the groups' fragments. Takes time with
    /// the number of panes.
    public var openWindows: Int {
        if calendar.kind == .session { return openGroups }
        return windowRuns(from: closedBefore, where: { _ in true }).reduce(0) {
            $0 + Int(($1.upperBound - $1.lowerBound) / calendar.slideMilliseconds) + 1
        }
    }
}
