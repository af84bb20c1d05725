internal import PluginAPI

/// Dead letters counted by what they have in common.
public struct LetterSummary: Sendable {
    public struct Key: Hashable, Sendable, Comparable {
        public var stage: String
        public var code: String
        /// The topic, file or table that the records came from.
        public var source: String
        public var eventType: String?
        public var aggregation: String?
        /// The stream, one of whose steps failed.
        public var stream: String?
        /// The step's number, from 1.
        public var step: Int?

        public static func < (a: Key, b: Key) -> Bool {
            (a.stage, a.code, a.source, a.aggregation ?? "", a.stream ?? "", a.step ?? 0)
                < (b.stage, b.code, b.source, b.aggregation ?? "", b.stream ?? "", b.step ?? 0)
        }
    }

    public struct Group: Sendable {
        public var key: Key
        public var letters = 0
        /// Those of them that were sent again.
        public var replayed = 0
        /// Milliseconds since the epoch.
        public var firstTime = Int64.max
        public var lastTime = Int64.min
        /// The newest letter's.
        public var message = ""
    }

    private var groupByKey: [Key: Group] = [:]

    public init() {}

    public mutating func add(_ stored: StoredLetter) {
        let letter = stored.letter
        let key = Key(
            stage: letter.stage.rawValue, code: letter.code, source: stored.source, eventType: stored.eventType,
            aggregation: letter.aggregation, stream: letter.step?.stream, step: letter.step?.number)
        var group = groupByKey[key] ?? Group(key: key)
        group.letters += 1
        if stored.isReplayed { group.replayed += 1 }
        group.firstTime = min(group.firstTime, letter.timeMilliseconds)
        if letter.timeMilliseconds >= group.lastTime {
            group.lastTime = letter.timeMilliseconds
            group.message = letter.message
        }
        groupByKey[key] = group
    }

    /// The most frequent first.
    public var groups: [Group] {
        groupByKey.values.sorted { ($1.letters, $0.key) < ($0.letters, $1.key) }
    }

    public var letters: Int { groupByKey.values.reduce(0) { $0 + $1.letters } }
}
