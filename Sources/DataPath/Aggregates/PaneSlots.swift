/// Dense numbers for the panes that rows have been in since the last extract. Threads: one at a time.
final class PaneSlots {
    private(set) var panes: [PaneKey] = []
    private var slots: [PaneKey: Int32] = [:]
    /// Rows of a short slide go to and fro between many panes: those of the last minutes, by ``place(of:)``.
    private var recent = [PaneCursor](repeating: PaneCursor(), count: 256)

    /// The number of a pane, which is added if it is new.
    func slot(_ key: PaneKey) -> Int32 {
        if let slot = slots[key] { return slot }
        let slot = Int32(panes.count)
        panes.append(key)
        slots[key] = slot
        return slot
    }

    /// What ``note(_:)`` was given of the pane that begins at `start`, if no other has taken its place.
    func cursor(of start: Int64) -> PaneCursor? {
        let cursor = recent[Self.place(of: start)]
        return cursor.pane == start ? cursor : nil
    }

    func note(_ cursor: PaneCursor) { recent[Self.place(of: cursor.pane)] = cursor }

    func removeAll() {
        panes.removeAll(keepingCapacity: true)
        slots.removeAll(keepingCapacity: true)
        for place in recent.indices { recent[place] = PaneCursor() }
    }

    private static func place(of start: Int64) -> Int {
        Int(truncatingIfNeeded: (UInt64(bitPattern: start) &* 0x9E37_79B9_7F4A_7C15) >> 56)
    }
}

/// A pane that rows have been in lately.
struct PaneCursor {
    /// The pane's start; `Int64.min`: none.
    var pane = Int64.min
    /// Event times that certainly belong to it: from `start` to before `end`.
    var start: Int64 = 0
    var end: Int64 = 0
    /// A partition whose highest event time is below has closed none of the pane's windows.
    var limit: Int64 = 0
    var slot: Int32 = 0
}
