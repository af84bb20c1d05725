/// Those groups of a run of a pane's groups that are to be written, ascending. Pointers are valid while they are written.
struct GroupRun {
    /// Where the run begins, whether that group is written or not.
    let first: Int
    let groups: UnsafeBufferPointer<Int32>
    /// For each group of the run, from ``first`` on, its number among ``groups``; -1 for those that are not. Nil when no
    /// measure asks.
    let numbers: UnsafePointer<Int32>?
}
